"""The DAGs that our own runner runs; what Airflow knows of them is in ../dags/by_our_runner.py."""

from datetime import timedelta

from airlock.sdk import (
    DAG,
    AirlockSkipException,
    Asset,
    AssetAlias,
    Connection,
    Variable,
    VariableNotFound,
    get_current_context,
    task,
)

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

        kept, alias = Asset(f"kept_by_{dag_id}", f"s3://kept/{dag_id}"), AssetAlias(f"alias_of_{dag_id}")

        @task(outlets=[kept, alias])
        def keeps(asset_state_store, task_state_store, outlet_events, kept=kept, alias=alias):
            store = asset_state_store[kept]
            store.set("watermark", 7)
            store.set("gone", 1)
            store.delete("gone")
            task_state_store.set("offset", 41)
            outlet_events[kept].extra = {"rows": 3}
            outlet_events[alias].add(kept, {"by": "alias"})
            found = [store.get("watermark"), asset_state_store.get("gone", "none"), task_state_store.get("offset")]
            task_state_store.clear()
            return [*found, task_state_store.get("offset", "none")]

        @task(inlets=[alias, kept], retries=0)
        def finds(asset_state_store, inlet_events, alias=alias, kept=kept):
            value = asset_state_store[alias].get("watermark")
            asset_state_store.clear()
            return [value, asset_state_store[kept].get("watermark", "none"), inlet_events[kept].limit(1)[0].extra]

        succeed(), fail(), retry(), skip(), lookups(), keeps() >> finds()
