"""
Runs in Airflow's environment: puts one running task instance into Airflow's own database and mints its token.

Prints {"ti_id", "hostname", "pid", "token"}. Airflow's server then takes this launch's heartbeats.
"""

import json

from airflow.api_fastapi.execution_api.app import _jwt_generator
from airflow.models.dag import DagModel
from airflow.models.dag_version import DagVersion
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.sdk import DAG, timezone
from airflow.sdk.bases.operator import BaseOperator
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType

HOSTNAME, PID = "bench", 4321
now = timezone.utcnow()
with DAG("bench", schedule=None) as dag:
    BaseOperator(task_id="bench")
with create_session() as session:
    session.add(DagBundleModel(name="bench"))
    session.flush()
    session.add(DagModel(dag_id="bench", bundle_name="bench", fileloc="/bench.py", is_paused=False))
    session.flush()
    version = DagVersion(dag_id="bench", version_number=1, bundle_name="bench")
    session.add(version)
    run = DagRun(
        dag_id="bench",
        run_id="manual__bench",
        run_type=DagRunType.MANUAL,
        run_after=now,
        start_date=now,
        state=DagRunState.RUNNING,
        triggered_by=DagRunTriggeredByType.TEST,
    )
    session.add(run)
    session.flush()
    operator = DagSerialization.from_dict(DagSerialization.to_dict(dag)).get_task("bench")
    ti = TaskInstance(operator, dag_version_id=version.id, run_id=run.run_id, state=TaskInstanceState.RUNNING)
    ti.hostname, ti.pid, ti.start_date, ti.try_number = HOSTNAME, PID, now, 1
    session.add(ti)
    session.flush()
    ti_id = str(ti.id)
token = _jwt_generator().generate({"sub": ti_id}, valid_for=24 * 3600)
print(json.dumps({"ti_id": ti_id, "hostname": HOSTNAME, "pid": PID, "token": token}))
