"""
Runs in Airflow's environment: Airflow's own client makes every call that neither ``client_calls.py`` nor ``asset_calls.py``
makes.

Reads ``{"url", "tis": {task: {"id", "token"}}, "test": {"id", "token"}}`` from standard input. Prints, as JSON, the
operations of the client that it called.
"""

import inspect
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta

from airflow.sdk.api import client as module
from airflow.sdk.api.client import Client, ServerResponseError
from airflow.sdk.api.datamodels._generated import ConnectionTestState
from airflow.sdk.execution_time.comms import (
    AwaitInputTask,
    ErrorResponse,
    RescheduleTask,
    SkipDownstreamTasks,
)

given = json.load(sys.stdin)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = datetime(2026, 3, 1, tzinfo=UTC)
called = set()


def noting(name, call):
    def noted(*args, **kwargs):
        called.add(name)
        return call(*args, **kwargs)

    return noted


for kind in vars(module).values():
    if inspect.isclass(kind) and kind.__name__.endswith("Operations"):
        for name, call in list(vars(kind).items()):
            if inspect.isfunction(call) and not name.startswith("_"):
                setattr(kind, name, noting(f"{kind.__name__}.{name}", call))


def client_of(name):
    ti = given["tis"][name]
    client = Client(base_url=given["url"], token=ti["token"])
    client.task_instances.start(uuid.UUID(ti["id"]), 1, NOW)
    return client, uuid.UUID(ti["id"])


def refused(status, call, *args, **kwargs):
    refusal = None
    try:
        call(*args, **kwargs)
    except ServerResponseError as e:
        refusal = e
    assert refusal is not None, f"{call} was not refused"
    assert status == refusal.response.status_code, refusal.response.text
    return refusal.detail


client, ti_id = client_of("task")

# --- DAGs and their runs ---
dag = client.dags.get("dag")
assert ("dag", "contract", False, []) == (dag.dag_id, dag.bundle_name, dag.is_paused, dag.tags)
assert "not_found" == refused(404, client.dags.get, "never")["reason"]
assert client.dag_runs.trigger("dag", "made", conf={"a": 1}, logical_date=DAY, note="why").ok
assert "DAGRUN_ALREADY_EXISTS" == client.dag_runs.trigger("dag", "made").error.name
assert isinstance(client.dag_runs.trigger("dag", "made"), ErrorResponse)
assert client.dag_runs.trigger("dag", "made", reset_dag_run=True).ok
assert client.dag_runs.trigger("dag", "later", run_after=DAY + timedelta(days=1)).ok
assert "not_found" == refused(404, client.dag_runs.trigger, "never", "r")["reason"]
detail = client.dag_runs.get_detail("dag", "made")
assert ("made", "operator_triggered", "queued", {"a": 1}, "why", DAY) == (
    detail.run_id, detail.run_type.value, detail.state.value, detail.conf, detail.note, detail.logical_date
), detail  # fmt: skip
assert None is detail.start_date
assert "queued" == client.dag_runs.get_state("dag", "made").state.value
assert 2 == client.dag_runs.get_count("dag", run_ids=["made", "later"], states=["queued"]).count
assert 1 == client.dag_runs.get_count("dag", logical_dates=[DAY]).count
assert "made" == client.dag_runs.get_previous("dag", DAY + timedelta(days=1)).dag_run.run_id
assert None is client.dag_runs.get_previous("dag", DAY, state="success").dag_run

# --- other task instances ---
other, other_id = client_of("load.fetch")
assert 1 == client.task_instances.get_count("dag", task_group_id="load").count
assert {"run": {"load.fetch": "running"}} == client.task_instances.get_task_states(
    "dag", task_group_id="load"
).task_states
assert "not_found" == refused(404, client.task_instances.get_count, "dag", task_group_id="never")["reason"]
assert 2 == client.task_instances.get_count("dag", states=["running"]).count
other.task_instances.succeed(other_id, NOW, [], [], None)
assert ["load.fetch"] == [
    crumb["task_id"] for crumb in client.task_instances.get_task_breakcrumbs("dag", "run").breadcrumbs
]
assert "load.fetch" == client.task_instances.get_previous("dag", "load.fetch", state="success").task_instance.task_id
assert None is client.task_instances.get_previous("dag", "never").task_instance
assert None is client.task_instances.get_previous_successful_dagrun(ti_id).start_date
assert None is client.task_instances.skip_downstream_tasks(ti_id, SkipDownstreamTasks(tasks=["downstream"]))
assert (
    "skipped" == client.task_instances.get_task_states("dag", task_ids=["downstream"]).task_states["run"]["downstream"]
)
assert None is client.task_instances.get_reschedule_start_date(ti_id).start_date

# --- what a task keeps, and what it asks people ---
client.task_state_store.set(ti_id, "a/b", {"n": 1}, NOW + timedelta(days=100_000))
assert {"n": 1} == client.task_state_store.get(ti_id, "a/b").value
client.task_state_store.delete(ti_id, "a/b")
assert isinstance(client.task_state_store.get(ti_id, "a/b"), ErrorResponse)
client.task_state_store.clear(ti_id)
question = client.hitl.add_response(ti_id=ti_id, options=["yes", "no"], subject="May I?", params={}, assigned_users=[])
assert ["yes", "no"] == question.options
assert False is client.hitl.get_detail_response(ti_id).response_received
answered = client.hitl.update_response(ti_id=ti_id, chosen_options=["yes"], params_input={"n": 3})
assert (True, ["yes"], {"n": 3}) == (answered.response_received, answered.chosen_options, answered.params_input)

client, ti_id = client_of("waiting")
client.task_instances.await_input(
    ti_id, AwaitInputTask(next_method="resume", next_kwargs={}, timeout=timedelta(hours=1))
)
client, ti_id = client_of("sensor")
client.task_instances.reschedule(ti_id, RescheduleTask(reschedule_date=NOW, end_date=NOW))

# --- a connection that a person tries ---
test_id = uuid.UUID(given["test"]["id"])
worker = Client(base_url=given["url"], token=given["test"]["token"])
connection = worker.connection_tests.get_connection(test_id)
assert ("db", "postgres", "p@ss") == (connection.conn_id, connection.conn_type, connection.password)
assert "conflict" == refused(409, worker.connection_tests.get_connection, test_id)["reason"]
assert None is worker.connection_tests.update_state(test_id, ConnectionTestState("success"), "x" * 3000)
refused(409, worker.connection_tests.update_state, test_id, ConnectionTestState("failed"))
print("\n" + json.dumps(sorted(called)))
