"""The DAGs that our own runner runs; what Airflow knows of them is in ../dags/by_our_runner.py."""

from datetime import timedelta

from airlock.sdk import DAG, AirlockSkipException, Connection, Variable, VariableNotFound, get_current_context, task

#: Behind our sidecar, and behind Airflow's supervisor.
for dag_id in ("runner_outcomes", "behind_outcomes"):
    with DAG(dag_id):

        @task
        def succeed():
            print("it is ours")
            return {"answer": 42}

        @task
        def fail():
            raise ValueError("as it should")

        @task(retries=1, retry_delay=timedelta(seconds=1))
        def retry():
            if get_current_context()["ti"].try_number == 1:
                raise ValueError("not this time")
            return "the second time"

        @task
        def skip():
            raise AirlockSkipException("nothing to do")

        @task
        def lookups():
            absent = False
            try:
                Variable.get("no such variable")
            except VariableNotFound:
                absent = True
            print("the password is", Connection.get("db").password)
            return [Variable.get("greeting"), Connection.get("db").host, absent]

        succeed(), fail(), retry(), skip(), lookups()
