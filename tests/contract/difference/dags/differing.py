"""The DAGs about which both servers are asked. None of their tasks is ever run."""

from airflow.sdk import DAG, PartitionedAtRuntime, TaskGroup, task


@task(retries=0)
def nothing(): ...


with DAG("d", schedule=None, tags=["b", "a"], default_args={"owner": "ada"}):
    nothing.override(task_id="t")()
    nothing.override(task_id="report")()
    with TaskGroup("load"):
        nothing.override(task_id="fetch")()
        nothing.override(task_id="store")()

for dag_id in ("broken", "limited", "made"):
    with DAG(dag_id, schedule=None, default_args={"owner": "ada"}):
        nothing()

with DAG("partitioned", schedule=PartitionedAtRuntime(), default_args={"owner": "ada"}):
    nothing()
