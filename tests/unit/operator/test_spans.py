"""The spans of a TaskRun, from statuses alone: what is whose child, and which step an attempt ended in."""

import logging
from datetime import timedelta

import pytest
from doubles.taskruns import NOW, RUNNING, ago, body, ended, record, run
from doubles.turns import Life

from airlock_operator.settings import Traces
from airlock_operator.status.changes import ended_attempt
from airlock_operator.traces import spans
from airlock_operator.traces.context import ATTEMPT, TASKRUN, environment, parsed, span_id
from airlock_operator.traces.tracing import Tracing
from airlock_wire.record import Reason
from airlock_wire.taskrun import Attempt, Status

ON = Traces(endpoint="http://collector:4318")
#: A TaskRun was made 30 s before NOW and seen 20 s before.
WHOLE = {
    "admitted": 1.0, "podScheduled": 2.0, "sidecarListening": 4.0, "runnerStarted": 3.0, "runnerConnected": 5.0,
    "serverSaidRun": 5.5, "taskStarted": 6.0, "taskReported": 10.0, "reportAcknowledged": 10.5, "runnerExited": 11.0,
    "finished": 12.0,
}  # fmt: skip


def over(timeline, reason="Succeeded", state="success", attempt=1, earlier=()):
    """The spans of the last status, each as name, parent's name, start, end (seconds after first sight), and failed."""
    known = run(status={"seenAt": ago(20), "attempt": attempt, "attempts": [{"attempt": n} for n in earlier]})
    last = Attempt(attempt, 1, f"hello-{attempt}", "node-1", reason)
    attempts = [*known.status.attempts, last]
    after = Status(
        seen_at=ago(20), attempt=attempt, attempts=attempts, state=state, reason=reason, timeline=timeline,
        finished_at="2026-11-21T11:59:52Z" if "finished" in timeline else "",
    )  # fmt: skip
    return spans.of_change(known, after, ended_attempt(known.status, after), NOW)


def rows(made):
    names = {each.span_id: each.name for each in made}
    zero = (NOW - timedelta(seconds=20)).timestamp()
    return [
        (each.name, names.get(each.parent_id, ""), each.start / 1e9 - zero, each.end / 1e9 - zero, each.failed)
        for each in made
    ]


def test_a_success_is_a_tree_of_its_steps():
    assert [
        ("queued", "d.t", -10.0, 1.0, False),
        ("attempt 1", "d.t", 1.0, 12.0, False),
        ("schedule", "attempt 1", 1.0, 2.0, False),
        ("start", "attempt 1", 2.0, 5.0, False),
        ("load", "attempt 1", 5.0, 6.0, False),
        ("run", "attempt 1", 6.0, 10.0, False),
        ("end", "attempt 1", 10.0, 12.0, False),
        ("d.t", "", -10.0, 12.0, False),
    ] == rows(over(WHOLE))


@pytest.mark.parametrize(
    ("marks", "step"),
    [
        ((), "schedule"),
        (("podScheduled",), "start"),
        (("podScheduled", "runnerStarted"), "load"),
        (("podScheduled", "runnerStarted", "runnerConnected", "taskStarted"), "run"),
        (("podScheduled", "runnerConnected", "taskStarted", "taskReported"), "run"),
        (("runnerConnected", "taskStarted"), "run"),
    ],
)
def test_a_failed_attempt_shows_the_step_in_which_it_failed(marks, step):
    known = {name: WHOLE[name] for name in ("admitted", "finished", *marks)}
    made = over(known, "Crashed", "failed")
    failed = [name for name, above, _, _, bad in rows(made) if bad and above == "attempt 1"]

    assert [step] == failed
    assert {"attempt 1", "d.t"} <= {each.name for each in made if each.failed}


def test_a_step_whose_mark_is_missing_belongs_to_the_next():
    made = rows(over({name: at for name, at in WHOLE.items() if name not in ("podScheduled", "taskStarted")}))

    assert ["queued", "attempt 1", "start", "run", "end", "d.t"] == [name for name, *_ in made]
    assert [(1.0, 5.0), (5.0, 10.0)] == [(start, end) for name, _, start, end, _ in made if name in ("start", "run")]


def test_every_step_is_within_its_attempt_whatever_a_nodes_clock_says():
    made = rows(over(WHOLE | {"podScheduled": -90.0, "runnerConnected": 900.0, "taskStarted": 3.0}))
    steps = [(start, end) for _, above, start, end, _ in made if above == "attempt 1"]

    assert steps == sorted(steps)
    assert all(1.0 <= start <= end <= 12.0 for start, end in steps)


def test_the_marks_of_the_timeline_are_events_of_the_attempt():
    attempt = next(each for each in over(WHOLE) if each.name == "attempt 1")

    assert {name for name in WHOLE if name not in ("admitted", "finished")} == {name for name, _ in attempt.events}


def test_an_attempt_that_is_followed_by_another_has_its_spans_when_it_ends():
    timeline = {name: at for name, at in WHOLE.items() if name != "finished"}
    made = rows(over(timeline, "Evicted", ""))

    assert "d.t" not in [name for name, *_ in made]
    assert ("attempt 1", "", 1.0, 20.0, True) in made


def test_a_taskrun_that_never_began_is_queued_until_its_end():
    known = run(status={"seenAt": ago(20)})
    after = Status(
        seen_at=ago(20),
        state="failed",
        reason="Cancelled",
        timeline={"finished": 3.0},
        finished_at="2026-11-21T12:00:00Z",
    )

    assert [("d.t", "", -10.0, 3.0, True), ("queued", "d.t", -10.0, 3.0, False)] == rows(
        spans.of_change(known, after, None, NOW)
    )


def test_a_status_that_ends_nothing_has_no_span():
    known = run(status={"seenAt": ago(20), "attempt": 1})

    assert [] == spans.of_change(known, Status(attempt=1, reason="Running", seen_at=ago(20)), None, NOW)


def test_the_taskruns_span_says_what_it_was():
    about = next(each for each in over(WHOLE) if each.name == "d.t").attributes

    assert ("team", "hello", "d", "t", "success", "Succeeded", 1) == tuple(
        about[name]
        for name in (
            "k8s.namespace.name",
            "airlock.taskrun.name",
            "airlock.dag_id",
            "airlock.task_id",
            "airlock.state",
            "airlock.reason",
            "airlock.attempts",
        )
    )


def exported(life_of, **spec):
    """What a life exported: trace, spans."""
    given = []
    life = Life(body(**spec), tracing=Tracing(ON, lambda trace, made: given.extend((trace, each) for each in made)))
    life.turns()
    life_of(life)
    return life, given


def lost_once_then_good(life):
    life.pod(runner=RUNNING, deleting=True)
    life.pod(runner=ended(137), deleting=True, phase="Failed")
    life.pod(2, runner=RUNNING)
    life.pod(2, runner=ended(), record=record(Reason.SUCCEEDED), phase="Succeeded")
    life.wait(60)
    life.delete()


def test_a_whole_life_is_one_trace_with_each_span_once():
    _, given = exported(lost_once_then_good, infraBudget=3, rerunAfterStart=True)
    ids = [each.span_id for _, each in given]

    assert 1 == len({trace for trace, _ in given})
    assert len(ids) == len(set(ids))
    assert {0} == {each.parent_id for _, each in given} - set(ids)
    assert ["attempt 1", "attempt 2", "d.t"] == [e.name for _, e in given if e.name.startswith(("attempt", "d.t"))]


def test_the_runner_was_told_of_the_span_that_its_attempt_has():
    _, given = exported(lost_once_then_good, infraBudget=3, rerunAfterStart=True)
    told = parsed(environment(run(), 2, ON)["TRACEPARENT"])
    attempt = next(each for _, each in given if each.name == "attempt 2")

    assert (given[0][0].trace_id, attempt.span_id) == (told.trace_id, told.span_id)
    assert attempt.span_id == span_id(run().uid, 2, ATTEMPT)


def test_a_taskrun_that_is_deleted_while_it_runs_has_its_spans_too():
    def deleted(life):
        life.pod(runner=RUNNING)
        life.delete()

    _, given = exported(deleted)
    made = {each.name: each for _, each in given}

    assert ("deleted", span_id(run().uid, 0, TASKRUN)) == (made["d.t"].attributes["airlock.state"], made["d.t"].span_id)
    assert {"queued", "attempt 1", "start"} <= set(made)
    assert [] == [name for name, each in made.items() if each.failed]


def test_an_export_that_raises_costs_no_turn(caplog):
    def broken(*_):
        raise RuntimeError("a fault of a library")

    life = Life(body(), tracing=Tracing(ON, broken))
    life.turns()
    life.pod(runner=ended(), record=record(Reason.SUCCEEDED), phase="Succeeded")

    assert "success" == life.status["state"]
    assert ["a trace was not made"] == [each.message for each in caplog.records if each.levelno == logging.ERROR]


def test_no_span_has_a_message_or_a_payload():
    def fails(life):
        life.pod(runner=ended(1), record=record(Reason.FAILED, message="hunter2 is wrong"), phase="Failed")

    _, given = exported(fails, source={"inline": "hunter2"}, conf={"k": "hunter2"})

    assert given
    assert "hunter2" not in repr(given)
