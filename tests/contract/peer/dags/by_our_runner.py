"""What Airflow knows of the DAGs in ../ours/by_our_runner.py: the same ids, and bodies that are never run."""

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetAlias, task

TASKS = {"succeed": 0, "fail": 0, "retry": 1, "skip": 0, "lookups": 0}

for dag_id, queue in {"runner_outcomes": "default", "behind_outcomes": "ours"}.items():
    with DAG(dag_id, default_args={"retry_delay": timedelta(milliseconds=100), "queue": queue}):
        for task_id, retries in TASKS.items():

            @task(task_id=task_id, retries=retries)
            def never():
                raise AssertionError("Airflow's runner ran this")

            never()

        kept, alias = Asset(f"kept_by_{dag_id}", f"s3://kept/{dag_id}"), AssetAlias(f"alias_of_{dag_id}")

        @task(retries=0, outlets=[kept, alias])
        def keeps():
            raise AssertionError("Airflow's runner ran this")

        @task(retries=0, inlets=[alias, kept])
        def finds():
            raise AssertionError("Airflow's runner ran this")

        keeps() >> finds()
