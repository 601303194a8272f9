"""Airflow's own client, from its own environment, against our server."""

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from airlock_server.store import connections, schema, variables, xcoms
from airlock_server.store.connections import Connection
from airlock_server.store.people import connection_tests

pytestmark = pytest.mark.slow

DRIVERS = Path(__file__).parent / "drivers"
#: What the client has: each operation by its class, and as it is called.
OPERATIONS = """
import inspect, json
from airflow.sdk.api.client import Client
client = Client(base_url="http://nowhere", token="")
kinds = {name: type(getattr(client, name)) for name in vars(Client) if not name.startswith("_")}
print(json.dumps([
    (f"{kind.__name__}.{name}", f"{field}.{name}")
    for field, kind in kinds.items() if kind.__name__.endswith("Operations")
    for name, call in vars(kind).items() if inspect.isfunction(call) and not name.startswith("_")
]))
"""


def test_every_operation_is_served_as_airflows_client_expects(drive):
    names = ["success", "skipped", "failed", "retry", "deferred", "rescheduled"]
    tis = {name: drive.queue("dag", "run:1+x", name, max_tries=1, conf={"answer": 42}) for name in names}

    def prepare(conn):
        variables.put(conn, drive.encryption, "from/cli", "set by the command", None)
        new = Connection(conn_id="db", conn_type="postgres", password="p@ss", port=5432, extra='{"sslmode": "require"}')
        connections.put(conn, drive.encryption, new)
        xcoms.put(conn, xcoms.XComKey("dag", "run:1+x", "success", "left over"), -1, b"1")

    drive.db.write(prepare)

    assert "every call was served" in drive.run("client_calls.py", {"tis": tis})

    states = {name: drive.outcome(ti["id"]).state.value for name, ti in tis.items()}
    assert {
        "success": "success",
        "skipped": "skipped",
        "failed": "failed",
        "retry": "up_for_retry",
        "deferred": "deferred",
        "rescheduled": "up_for_reschedule",
    } == states
    retried = drive.outcome(tis["retry"]["id"])
    assert retried.archived
    assert 7.5 == retried.retry_delay_seconds

    live = schema.task_instance.c
    deferred = drive.db.read(
        lambda conn: conn.execute(sa.select(schema.task_instance).where(live.id == tis["deferred"]["id"])).one()
    )
    assert "resume" == deferred.next_method
    assert "my.Trigger" == deferred.report["classpath"]
    assert deferred.trigger_timeout_at is not None
    first = drive.db.read(
        lambda conn: conn.execute(sa.select(schema.task_instance).where(live.id == tis["success"]["id"])).one()
    )
    assert "the first" == first.rendered_map_index
    written = drive.db.read(
        lambda conn: conn.scalars(
            sa.select(schema.state_write.c.to_state).where(schema.state_write.c.ti_id == tis["success"]["id"])
        ).all()
    )
    assert ["queued", "running", "success"] == written


def test_the_operations_about_runs_people_and_state_are_served_as_airflows_client_expects(drive, run_driver, tmp_path):
    tis = {name: drive.queue("dag", "run", name) for name in ("task", "load.fetch", "downstream", "waiting", "sensor")}
    connection = Connection(conn_id="db", conn_type="postgres", password="p@ss")
    test_id = drive.db.write(
        lambda conn: connection_tests.make(conn, drive.encryption, connection, commit_on_success=True)
    )
    test = {"id": test_id, "token": drive.tokens.mint_workload(test_id)}

    called = json.loads(drive.run("client_runs.py", {"tis": tis, "test": test}).splitlines()[-1])

    assert connection == drive.db.read(lambda conn: connections.get(conn, drive.encryption, "db"))
    script = tmp_path / "operations.py"
    script.write_text(OPERATIONS)
    operations = json.loads(run_driver(script, b"").splitlines()[-1])
    others = "".join((DRIVERS / name).read_text() for name in ("client_calls.py", "asset_calls.py"))
    assert len(operations) > len(called)
    assert [] == [
        name for name, call in operations if name not in called and not re.search(rf"\bclient\.{call}\b", others)
    ]
