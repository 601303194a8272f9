"""Airflow's own supervisor and task runner run a DAG's tasks against our server."""

import json
from collections import Counter

import pytest
from contract.captured import EMPTY

from airlock_server.store import connections, variables, xcoms
from airlock_server.store.connections import Connection

pytestmark = pytest.mark.slow

MET = {
    "GetVariable", "VariableResult", "GetConnection", "ConnectionResult", "SetXCom", "SucceedTask", "RetryTask",
    "TaskState", EMPTY,
}  # fmt: skip


def test_airflows_supervisor_brings_every_task_to_its_state_in_valid_frames(drive, frames_schema):
    def prepare(conn):
        variables.put(conn, drive.encryption, "greeting", "hello", None)
        connections.put(conn, drive.encryption, Connection(conn_id="db", conn_type="generic", password="p@ss"))

    drive.db.write(prepare)
    tasks = {
        task_id: drive.queue("contract", "manual__1", task_id, max_tries=max_tries)
        for task_id, max_tries in (("succeed", 0), ("fail", 0), ("retry", 2), ("skip", 0))
    }
    logs = drive.folder / "logs"
    logs.mkdir()

    said = drive.run("supervise.py", {"dag_file": "contract.py", "tasks": tasks, "logs": str(logs)})

    states = {task_id: drive.outcome(ti["id"]).state.value for task_id, ti in tasks.items()}
    log = "\n".join(path.read_text()[-3000:] for path in sorted(logs.glob("*.log")))
    expected = {"succeed": "success", "fail": "failed", "retry": "up_for_retry", "skip": "skipped"}
    assert expected == states, said + log
    assert 0 == json.loads(said.splitlines()[-1])["succeed"]
    pushed = xcoms.XComKey("contract", "manual__1", "succeed", "return_value")
    value = drive.db.read(lambda conn: xcoms.get(conn, pushed, -1))
    assert {"greeting": "hello"} == json.loads(value)

    # What our server says is in these frames as Airflow's supervisor passes it on.
    met = sum((frames_schema.check(logs / f"{task_id}.frames") for task_id in tasks), Counter())
    assert set() == MET - met.keys(), met
    assert len(tasks) == met["StartupDetails"]
