"""
Runs in Airflow's environment: Airflow's own supervisor and task runner run tasks against our server.

Reads ``{"url", "dag_file", "tasks": {task_id: {"id", "token", ...}}}`` from standard input, prints the exit codes.
"""

import json
import sys
import uuid

from airflow.executors.workloads import BundleInfo
from airflow.sdk.api.datamodels._generated import TaskInstance
from airflow.sdk.execution_time.supervisor import supervise_task

given = json.load(sys.stdin)
codes = {}
for task_id, launch in given["tasks"].items():
    codes[task_id] = supervise_task(
        ti=TaskInstance(
            id=uuid.UUID(launch["id"]),
            task_id=task_id,
            dag_id="contract",
            run_id="manual__1",
            try_number=1,
            dag_version_id=uuid.uuid4(),
        ),
        bundle_info=BundleInfo(name="contract"),
        dag_rel_path=given["dag_file"],
        token=launch["token"],
        server=given["url"],
        log_path=f"{given['logs']}/{task_id}.log",
    )
print("\n" + json.dumps(codes))
