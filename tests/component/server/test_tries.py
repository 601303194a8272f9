"""What owners of task instances do: queue, requeue, close, look."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from airlock_server.rules.transitions import Caller, Verdict
from airlock_server.store import schema, task_instances, tries
from airlock_server.store.errors import OwnedElsewhere, TryIsLive, UnknownDag
from airlock_server.store.task_instances import Report
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.states import FINISHED, TaskInstanceState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
US = Caller("host", "user", 1)


@pytest.fixture
def queue(db):
    db.write(lambda conn: tries.claim_dag(conn, "dag", "bundle"))

    def queue(try_number=1, task_id="task", dag_id="dag", conf=None):
        return db.write(
            lambda conn: tries.queue_task(
                conn,
                TaskInstanceKey(dag_id, "run", task_id),
                try_number=try_number,
                max_tries=1,
                conf=conf,
                now=NOW,
            )
        )

    return queue


def run(db, ti_id):
    return db.write(lambda conn: task_instances.run(conn, ti_id, US, NOW)).verdict


def report(db, ti_id, state):
    return db.write(lambda conn: task_instances.report(conn, ti_id, Report(state=state))).verdict


def beat(db, ti_id):
    return db.write(lambda conn: task_instances.heartbeat(conn, ti_id, "host", 1)).verdict


def outcome(db, ti_id):
    return db.read(lambda conn: tries.outcome(conn, ti_id))


def moves(db, ti_id):
    table = schema.state_write.c
    chosen = sa.select(table.to_state, table.by).where(table.ti_id == ti_id).order_by(table.id)
    return [tuple(row) for row in db.read(lambda conn: conn.execute(chosen).all())]


def test_a_dag_belongs_to_the_bundle_that_first_claimed_it(db):
    for _ in range(2):
        db.write(lambda conn: tries.claim_dag(conn, "dag", "first"))
    with pytest.raises(OwnedElsewhere, match="'bundle:first'"):
        db.write(lambda conn: tries.claim_dag(conn, "dag", "second"))


def test_a_dag_that_nobody_claimed_is_not_queued(queue):
    with pytest.raises(UnknownDag, match="absent"):
        queue(dag_id="absent")


def test_queuing_makes_a_manual_dag_run_once(db, queue):
    queue(conf={"a": 1})
    queue(task_id="other", conf={"a": 2})
    (row,) = db.read(lambda conn: conn.execute(sa.select(schema.dag_run)).all())
    assert ("manual", "running", {"a": 1}, NOW) == (row.run_type, row.state, row.conf, row.logical_date)


def test_a_queued_task_instance_is_there_to_be_run(db, queue):
    ti_id = queue()
    found = outcome(db, ti_id)
    assert ("queued", 1, 1, NOW) == (found.state, found.try_number, found.max_tries, found.queued_at)
    assert TaskInstanceKey("dag", "run", "task", -1) == found.key
    assert not found.archived
    assert Verdict.MOVE is run(db, ti_id)


@pytest.mark.parametrize("state", [state for state in TaskInstanceState if state not in FINISHED])
def test_a_try_that_is_under_way_is_not_queued_again(db, queue, state):
    ti_id = queue()
    table = schema.task_instance
    db.write(lambda conn: conn.execute(sa.update(table).where(table.c.id == ti_id).values(state=state)))
    # One that is restarting was cleared: the launch that ran it is cut off.
    if state.value in ("none", "scheduled", "up_for_retry", "restarting"):
        assert queue() == ti_id
    else:
        with pytest.raises(TryIsLive, match=state.value):
            queue()


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_a_finished_task_instance_is_archived_and_queued_under_a_new_id(db, queue, state):
    first = queue()
    run(db, first)
    report(db, first, state)
    second = queue()
    assert second != first
    assert (outcome(db, first).state, outcome(db, first).archived) == (state, True)
    assert "queued" == outcome(db, second).state
    assert Verdict.GONE is beat(db, first)


def test_a_retry_is_queued_under_the_id_it_was_given(db, queue):
    first = queue()
    run(db, first)
    report(db, first, TaskInstanceState.UP_FOR_RETRY)
    second = queue(try_number=2)
    assert second != first
    assert (1, 2) == (outcome(db, first).try_number, outcome(db, second).try_number)
    assert ["queued", "running", "up_for_retry"] == [move for move, _ in moves(db, first)]
    assert [("queued", "owner")] == moves(db, second)


def test_requeuing_cuts_the_old_launch_off_and_keeps_the_try(db, queue):
    ti_id = queue()
    run(db, ti_id)
    assert db.write(lambda conn: tries.requeue(conn, ti_id))
    assert ("queued", 1) == (outcome(db, ti_id).state, outcome(db, ti_id).try_number)
    assert Verdict.RUNNING_ELSEWHERE is beat(db, ti_id)
    assert Verdict.INVALID_STATE is report(db, ti_id, TaskInstanceState.SUCCESS)
    assert Verdict.MOVE is run(db, ti_id)
    assert [("queued", "owner"), ("running", "task"), ("queued", "owner"), ("running", "task")] == moves(db, ti_id)


@pytest.mark.parametrize("started", [False, True])
def test_the_owner_closes_a_live_try_once(db, queue, started):
    ti_id = queue()
    if started:
        run(db, ti_id)
    assert db.write(lambda conn: tries.close(conn, ti_id, TaskInstanceState.FAILED, "OOMKilled"))
    assert not db.write(lambda conn: tries.close(conn, ti_id, TaskInstanceState.FAILED, "again"))
    found = outcome(db, ti_id)
    assert ("failed", "OOMKilled") == (found.state, found.reason)
    assert found.end_date is not None
    assert ("failed", "owner") == moves(db, ti_id)[-1]


def test_the_owner_may_close_a_try_for_a_retry(db, queue):
    ti_id = queue()
    run(db, ti_id)
    assert db.write(lambda conn: tries.close(conn, ti_id, TaskInstanceState.UP_FOR_RETRY, "Crashed"))
    found = outcome(db, ti_id)
    assert ("up_for_retry", "Crashed", True) == (found.state, found.reason, found.archived)
    assert queue(try_number=2) != ti_id


@pytest.mark.parametrize("state", [TaskInstanceState.SUCCESS, TaskInstanceState.UP_FOR_RETRY])
def test_what_the_task_reported_is_not_closed_or_requeued(db, queue, state):
    ti_id = queue()
    run(db, ti_id)
    report(db, ti_id, state)
    assert not db.write(lambda conn: tries.close(conn, ti_id, TaskInstanceState.FAILED, "late"))
    assert not db.write(lambda conn: tries.requeue(conn, ti_id))
    assert outcome(db, ti_id).state == state


@pytest.mark.parametrize("state", [TaskInstanceState.SUCCESS, TaskInstanceState.UP_FOR_RETRY])
def test_a_reason_is_noted_on_live_and_on_archived_tries(db, queue, state):
    ti_id = queue()
    run(db, ti_id)
    report(db, ti_id, state)
    assert db.write(lambda conn: tries.note_reason(conn, ti_id, "Succeeded"))
    assert "Succeeded" == outcome(db, ti_id).reason


def test_an_id_that_never_was_has_no_outcome(db):
    assert None is outcome(db, "x")
    assert not db.write(lambda conn: tries.note_reason(conn, "x", "y"))
    assert not db.write(lambda conn: tries.requeue(conn, "x"))
