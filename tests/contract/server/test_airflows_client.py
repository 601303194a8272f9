"""Airflow's own client, from its own environment, against our server."""

import pytest
import sqlalchemy as sa

from airlock_server.store import connections, schema, variables, xcoms
from airlock_server.store.connections import Connection

pytestmark = pytest.mark.slow


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
