"""The DAGs about which both servers are asked. None of their tasks is ever run."""

from airflow.sdk import DAG, Asset, AssetAlias, PartitionedAtRuntime, TaskGroup, task


@task(retries=0)
def nothing(): ...


ASSET = Asset("asset", "s3://bucket/asset")
SECOND = Asset("second", "s3://bucket/second")

with DAG("d", schedule=None, tags=["b", "a"], default_args={"owner": "ada"}):
    nothing.override(task_id="t")()
    nothing.override(task_id="report")()
    with TaskGroup("load"):
        nothing.override(task_id="fetch")()
        nothing.override(task_id="store")()
    nothing.override(
        task_id="publish",
        inlets=[ASSET, AssetAlias("alias")],
        outlets=[ASSET, SECOND, Asset("cleared", "s3://bucket/cleared"), AssetAlias("given"), AssetAlias("shared")],
    )()
    nothing.override(task_id="refer", outlets=[Asset.ref(name="asset"), Asset.ref(uri="s3://bucket/second")])()
    nothing.override(task_id="stale", inlets=[ASSET], outlets=[Asset("second", "s3://old/second")])()

for dag_id in ("broken", "limited", "made"):
    with DAG(dag_id, schedule=None, default_args={"owner": "ada"}):
        nothing()

with DAG("partitioned", schedule=PartitionedAtRuntime(), default_args={"owner": "ada"}):
    nothing()
