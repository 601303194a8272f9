"""
Runs in Airflow's environment: Airflow's own supervisor and task runner run tasks against our server.

Reads ``{"url", "dag_file", "tasks": {task_id: {"id", "token", ...}}}`` from standard input, prints the exit codes, and
leaves every frame of each task's conversation in ``{logs}/{task_id}.frames``.
"""

import json
import os
import sys
import uuid

from airflow.executors.workloads import BundleInfo
from airflow.sdk.api.datamodels._generated import TaskInstance
from airflow.sdk.execution_time.comms import _RequestFrame, _ResponseFrame
from airflow.sdk.execution_time.supervisor import supervise_task

given = json.load(sys.stdin)
codes = {}
capture = -1
write_frame = _RequestFrame.as_bytes


def captured(frame):
    """A frame's bytes, as its sender makes them: the runner is forked from here, so these are both directions."""
    data = write_frame(frame)
    os.write(capture, data)
    return data


_RequestFrame.as_bytes = _ResponseFrame.as_bytes = captured
for task_id, launch in given["tasks"].items():
    capture = os.open(f"{given['logs']}/{task_id}.frames", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
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
