"""Calls that meet in one row: each database lets one of them decide, and the others see what it did."""

import asyncio
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from airlock_server.api.execution.door import door
from airlock_server.keys.tokens import Tokens
from airlock_server.launching.taskruns import closing
from airlock_server.rules.attempts import Attempt, Claim, RunBy, Superseded
from airlock_server.rules.fencing import Standing
from airlock_server.rules.transitions import Caller, Verdict
from airlock_server.settings import JwtSettings
from airlock_server.store import attempts, schema, task_instances, tries, xcoms
from airlock_server.store.engine.types import now
from airlock_server.store.errors import TryIsLive
from airlock_server.store.people import hitl
from airlock_server.store.task_instances import Report
from airlock_server.store.xcoms import XComKey
from airlock_server.web.errors import Refused
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.states import TaskInstanceState

KEY = TaskInstanceKey("dag", "run", "task", -1)
CALLERS = 50


def together(db, works):
    """Does writes in as many threads at once; returns their results, or what they raised."""
    barrier = threading.Barrier(len(works))

    def do(work):
        barrier.wait(30)
        try:
            return db.write(work)
        except TryIsLive as e:
            return e

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(do, works))


class Held:
    """A write that waits in its transaction until it is told to go on."""

    def __init__(self, work):
        self._work = work
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, conn):
        result = self._work(conn)
        self.begun.set()
        assert self.go.wait(30)
        return result


def meet(db, first, second):
    """Does a write while another one's transaction is done and not committed; returns the results of both."""
    held = Held(first)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(db.write, held)
        assert held.begun.wait(10)
        other = threads.submit(db.write, second)
        try:
            with pytest.raises(TimeoutError):
                other.result(0.3)
        finally:
            held.go.set()
        return one.result(30), other.result(30)


def queue(conn, key=KEY):
    tries.claim_dag(conn, key.dag_id, "bundle")
    return tries.queue_task(conn, key, try_number=1, max_tries=0, conf=None, now=now())


def start(conn, ti_id, number=0):
    return task_instances.run(conn, ti_id, Caller(f"host-{number}", "user", number), now())


def moves(db):
    table = schema.state_write.c
    return [tuple(row) for row in db.read(lambda conn: conn.execute(sa.select(table.from_state, table.to_state)).all())]


def claim(number=1, taskrun="taskrun", pod=None):
    return Claim(
        pod_uid=pod or f"{taskrun}-{number}",
        pod_name=f"pod-{number}",
        number=number,
        namespace="team",
        taskrun_name=taskrun,
        taskrun_uid=taskrun,
        key=KEY,
        try_number=1,
        max_tries=0,
        conf=None,
    )


def open_attempts(db):
    table = schema.attempt.c
    return db.read(lambda conn: conn.scalars(sa.select(table.number).where(table.ended_at.is_(None))).all())


def test_one_of_many_launches_runs_a_task_instance(db):
    ti_id = db.write(queue)
    answers = together(db, [partial(start, ti_id=ti_id, number=number) for number in range(CALLERS)])

    assert [Verdict.MOVE] == [answer.verdict for answer in answers if answer.verdict is Verdict.MOVE]
    assert [(None, "queued"), ("queued", "running")] == moves(db)


def test_one_of_many_owners_has_a_dag(db):
    owners = together(db, [partial(tries.claim_dag_for, dag_id="dag", owner=f"o{number}") for number in range(CALLERS)])

    assert CALLERS == len(owners)
    assert 1 == len(set(owners))


def test_one_of_many_calls_queues_a_task_instance(db):
    results = together(db, [queue] * CALLERS)

    assert 1 == len([result for result in results if isinstance(result, str)])
    assert CALLERS - 1 == len([result for result in results if isinstance(result, TryIsLive)])
    assert [(None, "queued")] == moves(db)


def test_task_instances_of_one_run_are_queued_at_once(db):
    keys = [TaskInstanceKey("dag", "run", "task", number) for number in range(CALLERS)]
    results = together(db, [partial(queue, key=key) for key in keys])

    assert CALLERS == len({result for result in results if isinstance(result, str)})


def test_the_second_of_two_launches_sees_the_first(db):
    ti_id = db.write(queue)
    first, second = meet(db, partial(start, ti_id=ti_id, number=1), partial(start, ti_id=ti_id, number=2))

    assert (Verdict.MOVE, TaskInstanceState.RUNNING) == (first.verdict, second.current.state)
    assert Verdict.MOVE is not second.verdict
    assert [(None, "queued"), ("queued", "running")] == moves(db)


@pytest.fixture
def running(db):
    """The id of a task instance that runs."""
    ti_id = db.write(queue)
    db.write(partial(start, ti_id=ti_id))
    return ti_id


def reported(ti_id, state):
    return partial(task_instances.report, ti_id=ti_id, parsed=Report(state=TaskInstanceState(state)))


def test_the_second_of_two_reports_sees_the_first(db, running):
    _, second = meet(db, reported(running, "success"), reported(running, "failed"))

    assert TaskInstanceState.SUCCESS is second.current.state
    assert ("running", "success") == moves(db)[-1]


@pytest.mark.parametrize(
    "owners",
    [partial(tries.requeue), partial(tries.close, state=TaskInstanceState.FAILED, reason="lost")],
    ids=["requeue", "close"],
)
def test_the_owner_sees_a_report_that_came_first(db, running, owners):
    _, done = meet(db, reported(running, "success"), partial(owners, ti_id=running))

    assert not done
    assert ("running", "success") == moves(db)[-1]


def test_a_report_sees_that_its_launch_was_taken_back(db, running):
    _, second = meet(db, partial(tries.requeue, ti_id=running), reported(running, "success"))

    assert TaskInstanceState.QUEUED is second.current.state


def test_a_heartbeat_sees_that_its_launch_was_taken_back(db, running):
    beat = partial(task_instances.heartbeat, ti_id=running, hostname="host-0", pid=0)
    _, second = meet(db, partial(tries.requeue, ti_id=running), beat)

    assert Verdict.BEAT is not second.verdict


def test_a_task_that_skips_another_sees_that_it_runs(db, running):
    other = db.write(partial(queue, key=TaskInstanceKey("dag", "run", "other", -1)))
    _, there = meet(db, partial(start, ti_id=other), partial(task_instances.skip, ti_id=running, tasks=[("other", -1)]))

    assert there
    assert ("queued", "running") == moves(db)[-1]


def test_two_calls_that_queue_the_same_make_one_task_instance(db):
    first, second = meet(db, queue, refused_queue)

    assert isinstance(first, str)
    assert "live" == second


def refused_queue(conn):
    try:
        return queue(conn)
    except TryIsLive:
        return "live"


def test_a_pod_that_asks_twice_at_once_has_one_attempt(db):
    first, second = meet(db, partial(attempts.admit, claim=claim()), partial(attempts.admit, claim=claim()))

    assert first.ti_id == second.ti_id
    assert [1] == open_attempts(db)
    assert [(None, "queued")] == moves(db)


def test_an_older_pod_that_asks_beside_a_newer_one_is_superseded(db):
    db.write(partial(attempts.admit, claim=claim(1)))
    _, older = meet(db, partial(attempts.admit, claim=claim(3)), partial(attempts.admit, claim=claim(2)))

    assert isinstance(older, Superseded)
    assert [3] == open_attempts(db)


def test_of_a_taskruns_pods_that_ask_at_once_the_newest_counts(db):
    db.write(partial(attempts.admit, claim=claim(1)))
    admitted = together(db, [partial(attempts.admit, claim=claim(number)) for number in range(2, 20)])

    assert [19] == open_attempts(db)
    assert {Attempt, Superseded} >= {type(each) for each in admitted}


def test_of_two_taskruns_one_has_the_task_instance(db):
    first, second = meet(
        db, partial(attempts.admit, claim=claim()), partial(attempts.admit, claim=claim(taskrun="another"))
    )

    assert (Attempt, "taskrun") == (type(first), second.uid)
    assert isinstance(second, RunBy)


def test_a_taskrun_is_closed_once(db):
    db.write(partial(attempts.admit, claim=claim()))
    close = partial(closing.close, taskrun_uid="taskrun", status=None)

    assert (TaskInstanceState.FAILED, None) == meet(db, close, close)
    assert [(None, "queued"), ("queued", "failed")] == moves(db)


def test_closing_a_taskrun_sees_what_its_task_reported(db):
    ti_id = db.write(partial(attempts.admit, claim=claim())).ti_id
    db.write(partial(start, ti_id=ti_id))
    _, closed = meet(db, reported(ti_id, "success"), partial(closing.close, taskrun_uid="taskrun", status=None))

    assert None is closed
    assert ("running", "success") == moves(db)[-1]


def test_of_many_answers_to_a_question_the_first_counts(api):
    ti_id = api.running()
    api.db.write(lambda conn: hitl.ask(conn, ti_id, {}))

    def answer(number):
        body = {"ti_id": ti_id, "chosen_options": [str(number)], "params_input": {}}
        return api.http.patch(f"/hitlDetails/{ti_id}", json=body, headers=api.own(ti_id)).status_code

    with ThreadPoolExecutor(20) as threads:
        assert [200, *[409] * 19] == sorted(threads.map(answer, range(20)))


@pytest.fixture
def pods_door(db):
    """The way of a running pod to the database, and what it writes there."""
    tokens = Tokens(b"k" * 64, JwtSettings())
    attempt = db.write(partial(attempts.admit, claim=claim()))
    db.write(partial(start, ti_id=attempt.ti_id))
    claims = tokens.verify(tokens.mint_for_pod(attempt.ti_id, attempt.pod_uid, attempt.taskrun_uid, 1))
    where = XComKey("dag", "team/run", "task", str(uuid.uuid4()))

    def write(conn):
        return xcoms.put(conn, where, -1, b"1")

    def enter(work):
        return asyncio.run(door(db, claims, Standing.CURRENT).awrite(work))

    return write, enter


def test_a_pod_that_takes_over_waits_for_a_write_that_is_under_way(db, pods_door):
    write, enter = pods_door
    held = Held(write)
    with ThreadPoolExecutor(2) as threads:
        written = threads.submit(enter, held)
        assert held.begun.wait(10)
        admitted = threads.submit(db.write, partial(attempts.admit, claim=claim(2)))
        try:
            with pytest.raises(TimeoutError):
                admitted.result(0.3)
        finally:
            held.go.set()
        assert written.result(10)
        assert isinstance(admitted.result(10), Attempt)


def test_a_write_that_waits_for_a_takeover_is_refused(db, pods_door):
    write, enter = pods_door
    held = Held(partial(attempts.admit, claim=claim(2)))
    with ThreadPoolExecutor(2) as threads:
        admitted = threads.submit(db.write, held)
        assert held.begun.wait(10)
        written = threads.submit(enter, write)
        try:
            with pytest.raises(TimeoutError):
                written.result(0.3)
        finally:
            held.go.set()
        assert isinstance(admitted.result(10), Attempt)
        with pytest.raises(Refused, match="410"):
            written.result(10)
