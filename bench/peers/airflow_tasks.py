"""
Runs in Airflow's environment: one task, in as many DAG runs as it is told, in Airflow's own database.

    airflow_tasks.py queued|running DAG_ID TASK_ID COUNT

Prints a list of [task instance, token]: a workload token for one launch of a queued one, an execution token for a
running one, which runs on host "bench" with pid 4321.
"""

import json
import sys

from airflow.api_fastapi.execution_api.app import _jwt_generator
from airflow.models.dag import DagModel
from airflow.models.dag_version import DagVersion
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.variable import Variable
from airflow.sdk import DAG, timezone
from airflow.sdk.bases.operator import BaseOperator
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

state, dag_id, task_id, count = TaskInstanceState(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
now = timezone.utcnow()
with DAG(dag_id, schedule=None) as dag:
    BaseOperator(task_id=task_id)
task_instances = []
with create_session() as session:
    session.add(DagBundleModel(name="bench"))
    session.flush()
    session.add(DagModel(dag_id=dag_id, bundle_name="bench", fileloc="/bench.py", is_paused=False))
    session.flush()
    version = DagVersion(dag_id=dag_id, version_number=1, bundle_name="bench")
    session.add(version)
    session.flush()
    operator = DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task(task_id)
    for number in range(count):
        run = DagRun(
            dag_id=dag_id,
            run_id=f"manual__{number}",
            run_type=DagRunType.MANUAL,
            run_after=now,
            start_date=now,
            state=DagRunState.RUNNING,
            triggered_by=DagRunTriggeredByType.TEST,
        )
        session.add(run)
        session.flush()
        ti = TaskInstance(operator, dag_version_id=version.id, run_id=run.run_id, state=state)
        ti.try_number = 1
        if state is TaskInstanceState.RUNNING:
            ti.hostname, ti.pid, ti.start_date = "bench", 4321, now
        session.add(ti)
        session.flush()
        identity = {"id": str(ti.id), "dag_id": dag_id, "task_id": task_id, "run_id": run.run_id, "try_number": 1}
        task_instances.append({**identity, "map_index": -1, "dag_version_id": str(version.id)})
    Variable.set("bench", "a value", session=session)
scope = "execution" if state is TaskInstanceState.RUNNING else "workload"
generator = _jwt_generator()
tokens = [generator.generate({"sub": ti["id"], "scope": scope}, valid_for=24 * 3600) for ti in task_instances]
print(json.dumps(list(zip(task_instances, tokens, strict=True))))
