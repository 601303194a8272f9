"""Tasks that ask for everything that a task may ask for, and print what they were told."""

import logging
import sys

from airflow.sdk import DAG, BaseHook, Variable, get_current_context, task
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.log import mask_secret

for way in ("theirs", "ours"):
    with DAG(f"{way}_lookups"):

        @task
        def variables():
            def value(key):
                return Variable.get(key, default="absent")

            print(value("greeting"), value("no such variable"))
            own = get_current_context()["dag"].dag_id
            Variable.set(f"{own}/first", {"a": 1}, "a note", serialize_json=True)
            Variable.set(f"{own}/second", "text")
            print(Variable.get(f"{own}/first", deserialize_json=True), sorted(Variable.keys(prefix=own)))
            Variable.delete(f"{own}/second")
            print(sorted(Variable.keys(prefix=own)), value(f"{own}/second"))
            Variable.get("no such variable")

        @task
        def connections():
            found = BaseHook.get_connection("db")
            print(found.conn_type, found.host, found.port, found.schema, found.login, found.get_uri())
            print(found.extra_dejson)
            BaseHook.get_connection("no such connection")

        @task
        def secrets():
            mask_secret("whisper-this")
            words = [BaseHook.get_connection("db").password, Variable.get("a_password"), "whisper-this"]
            for word in words:
                print("printed", word)
                print("complained", word, file=sys.stderr)
                logging.getLogger("mine").warning("logged %s", word)
            return "nothing"

        @task(trigger_rule="all_done")
        def instances(ti=None):
            asked = {"dag_id": ti.dag_id, "run_ids": [ti.run_id]}
            print("count", ti.get_ti_count(**asked, task_ids=["variables", "numbers"], states=["failed", "success"]))
            print("states", ti.get_task_states(**asked, task_ids=["variables", "numbers"]))
            crumbs = [c for c in ti.get_task_breadcrumbs(ti.dag_id, ti.run_id) if c["task_id"] == "variables"]
            print("crumbs", [(c["task_id"], c["map_index"], c["state"], sorted(c)) for c in crumbs])
            print("previous", ti.get_previous_ti(), ti.get_previous_dagrun())
            print("runs", ti.get_dr_count(ti.dag_id, states=["running"]), ti.get_dagrun_state(ti.dag_id, ti.run_id))
            print("dag", ti.get_dag(ti.dag_id))
            context = get_current_context()
            print("successful", context["prev_start_date_success"], context["prev_data_interval_start_success"])
            ti.get_dag("no_such_dag")

        @task
        def numbers():
            return [0, 1, 2]

        @task
        def times_ten(n):
            return n * 10

        @task
        def xcoms(values, ti=None):
            print(len(values), values[0], values[-1], list(values[::-1]), list(values[1:]), list(values))
            try:
                values[7]
            except IndexError as e:
                print("no seventh", e)
            for key, value in (("text", "t"), ("nothing", None), ("a key/with slash", {"n": 1.5})):
                ti.xcom_push(key, value)
            print(ti.xcom_pull(task_ids="numbers"), ti.xcom_pull(task_ids="times_ten"))
            print(ti.xcom_pull(task_ids="numbers", key="absent"), ti.xcom_pull(key="text", task_ids="xcoms"))
            print(ti.xcom_pull(task_ids="numbers", include_prior_dates=True))
            XCom.delete("text", ti.task_id, ti.dag_id, ti.run_id)
            print(ti.xcom_pull(key="text", task_ids="xcoms"))

        listed = numbers()
        [variables(), listed] >> instances()
        connections(), secrets()
        xcoms(times_ten.expand(n=listed))
