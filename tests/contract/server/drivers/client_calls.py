"""
Runs in Airflow's environment: Airflow's own client makes every call that our server serves.

Reads ``{"url", "workload_token", "ti_id", "other": {...}}`` from standard input; an assertion that fails fails the
test that started this. Prints what the test compares with the database.
"""

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta

from airflow.sdk.api.client import Client, ServerResponseError
from airflow.sdk.api.datamodels._generated import (
    ConnectionResponse,
    TerminalStateNonSuccess,
    TIRunContext,
    VariableResponse,
    XComResponse,
)
from airflow.sdk.exceptions import TaskAlreadyRunningError
from airflow.sdk.execution_time.comms import DeferTask, ErrorResponse, RescheduleTask

given = json.load(sys.stdin)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PID = 4321


def started(name):
    ti = given["tis"][name]
    client = Client(base_url=given["url"], token=ti["token"])
    context = client.task_instances.start(uuid.UUID(ti["id"]), PID, NOW)
    assert isinstance(context, TIRunContext)
    return client, uuid.UUID(ti["id"]), context


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ServerResponseError as e:
        if e.response.status_code == status:
            return e.detail
        raise
    raise AssertionError(f"{call} was not refused")


client, ti_id, context = started("success")
assert "run:1+x" == context.dag_run.run_id, context
assert {"answer": 42} == context.dag_run.conf
assert 1 == context.max_tries
assert True is context.should_retry
assert [] == context.xcom_keys_to_clear
assert given["tis"]["success"]["token"] not in str(client.auth.__dict__)
again = client.task_instances.start(ti_id, PID, NOW)
assert again.dag_run == context.dag_run
try:
    client.task_instances.start(ti_id, PID + 1, NOW)
except TaskAlreadyRunningError:
    pass
else:
    raise AssertionError("a second process could start the task instance")

client.task_instances.heartbeat(ti_id, PID)
assert "running_elsewhere" == refused(409, client.task_instances.heartbeat, ti_id, 1)["reason"]
client.task_instances.set_rtif(ti_id, {"bash_command": "echo 1", "nested": {"a": [1, None]}})
client.task_instances.set_rendered_map_index(ti_id, "the first")

value = client.variables.get("from/cli")
assert isinstance(value, VariableResponse)
assert "set by the command" == value.value
assert isinstance(client.variables.get("absent"), ErrorResponse)
client.variables.set("made by task", "text", "a note")
assert "text" == client.variables.get("made by task").value
assert ["made by task"] == client.variables.keys(prefix="made").keys
client.variables.delete("made by task")
client.variables.delete("made by task")
assert isinstance(client.variables.get("made by task"), ErrorResponse)

connection = client.connections.get("db")
assert isinstance(connection, ConnectionResponse), connection
assert ("postgres", "p@ss", 5432) == (connection.conn_type, connection.password, connection.port)
assert {"sslmode": "require"} == json.loads(connection.extra)
assert isinstance(client.connections.get("absent"), ErrorResponse)

where = {"dag_id": "dag", "run_id": "run:1+x", "task_id": "mapped"}
key = "a key/with slash"
for i, item in enumerate(["zero", {"one": 1}, None]):
    client.xcoms.set(**where, key=key, value=item, map_index=i, mapped_length=3)
plain = client.xcoms.get(**where, key=key, map_index=1)
assert isinstance(plain, XComResponse)
assert {"one": 1} == plain.value
assert None is client.xcoms.get(**where, key=key, map_index=2).value
assert None is client.xcoms.get(**where, key="absent").value
assert 3 == client.xcoms.head(**where, key=key).len
assert "zero" == client.xcoms.get_sequence_item(**where, key=key, offset=-3).root
assert isinstance(client.xcoms.get_sequence_item(**where, key=key, offset=3), ErrorResponse)
sliced = client.xcoms.get_sequence_slice(**where, key=key, start=None, stop=None, step=-2)
assert [None, "zero"] == sliced.root, sliced
client.xcoms.delete(**where, key=key, map_index=0)
assert 2 == client.xcoms.head(**where, key=key).len

client.task_instances.succeed(ti_id, NOW + timedelta(seconds=5), [], [], "the first")
client.task_instances.succeed(ti_id, NOW + timedelta(seconds=5), [], [], "the first")
assert "not_running" == refused(409, client.task_instances.heartbeat, ti_id, PID)["reason"]

client, ti_id, _ = started("skipped")
client.task_instances.finish(ti_id, TerminalStateNonSuccess.SKIPPED, NOW, None)
client, ti_id, _ = started("failed")
client.task_instances.finish(ti_id, TerminalStateNonSuccess.FAILED, NOW, None)
assert "failed" == refused(409, client.task_instances.succeed, ti_id, NOW, [], [], None)["previous_state"]

client, ti_id, _ = started("retry")
client.task_instances.retry(ti_id, NOW, None, retry_delay_seconds=7.5, retry_reason="x" * 600)
assert "not_found" == refused(404, client.task_instances.retry, ti_id, NOW, None)["reason"]
refused(410, client.task_instances.heartbeat, ti_id, PID)
refused(410, client.task_instances.set_rtif, ti_id, {})

client, ti_id, _ = started("deferred")
client.task_instances.defer(
    ti_id,
    DeferTask(
        classpath="my.Trigger",
        trigger_kwargs={"moment": 1},
        trigger_timeout=timedelta(seconds=90.5),
        next_method="resume",
        next_kwargs={"a": 1},
    ),
)
client, ti_id, _ = started("rescheduled")
client.task_instances.reschedule(ti_id, RescheduleTask(reschedule_date=NOW, end_date=NOW))
print("every call was served")
