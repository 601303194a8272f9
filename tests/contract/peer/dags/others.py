"""Tasks that wait for a person, and tasks that start other DAG runs."""

from datetime import UTC, datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLEntryOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param, task

for way in ("theirs", "ours"):
    with DAG(f"{way}_people"):
        asked = HITLEntryOperator(
            task_id="entry",
            subject="How many in {{ dag.dag_id }}?",
            body="**Count** them.",
            params={"n": Param(1, type="integer")},
        )
        refused = ApprovalOperator(task_id="approval", subject="May it?", defaults=["Reject"])
        asked >> refused >> EmptyOperator(task_id="after")

    with DAG(f"{way}_starts"):

        def start(task_id, way=way, **how):
            return TriggerDagRunOperator(
                task_id=task_id, trigger_dag_id=f"{way}_started", trigger_run_id="by-a-task", **how
            )

        wait = {"wait_for_completion": True, "deferrable": True, "poke_interval": 3}
        when = {"logical_date": datetime(1999, 1, 3, tzinfo=UTC)}
        (
            start("start", conf={"n": "{{ run_id }}"}, note="noted", **when, **wait)
            >> start("skip_as_it_is_there", skip_when_already_exists=True, **when)
            >> EmptyOperator(task_id="between", trigger_rule="all_done")
            >> start("start_again", reset_dag_run=True, **when, **wait)
            >> start("fail_as_it_is_there", **when)
        )
        TriggerDagRunOperator(task_id="no_such_dag", trigger_dag_id="no_such_dag", trigger_run_id="never")

    with DAG(f"{way}_started"):

        @task
        def started(dag_run=None):
            return dag_run.conf

        started()
