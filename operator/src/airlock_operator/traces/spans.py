"""
Makes the spans of a TaskRun from its status: the TaskRun's own, one for each attempt, and the steps of each. Pure.

A status knows the timeline of its present attempt alone. So an attempt's spans are made from the status with which it
ends, and the TaskRun's span from the last status. The operator that wrote that status makes them, and nobody else.
"""

from datetime import datetime

import msgspec

from airlock_operator.durations import parse_time
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import WARNING, Reason
from airlock_operator.traces.context import ATTEMPT, TASKRUN, span_id
from airlock_wire.taskrun import Attempt, Status

#: The steps of an attempt, each with the marks of the timeline that end it: the first that is known counts.
_STEPS = (
    ("schedule", ("podScheduled",)),
    ("start", ("runnerConnected", "runnerStarted")),
    ("load", ("taskStarted",)),
    ("run", ("taskReported", "runnerExited")),
)
#: The step after the last mark.
_LAST = "end"
_QUEUED = "queued"
#: What a TaskRun's span says where it was deleted before its end.
DELETED = "deleted"

Value = str | int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. Times are nanoseconds of Unix' time; ``parent_id`` is 0 for the TaskRun's own."""

    name: str
    span_id: int
    parent_id: int
    start: int
    end: int
    failed: bool
    attributes: dict[str, Value]
    #: Moments within it: their names and times.
    events: tuple[tuple[str, int], ...] = ()


def of_change(run: TaskRun, after: Status, ended: Attempt | None, now: datetime) -> list[Span]:
    """Returns the spans that a status ends which was written over the one of ``run``; ``ended`` is its attempt."""
    spans = _of_attempt(run, after, ended, now) if ended is not None else []
    if after.finished_at and not run.status.finished_at:
        failed = after.state == "failed"
        spans += _of_taskrun(run, after, _ends(after, now), after.state, after.reason, failed=failed)
    return spans


def of_gone(run: TaskRun, now: datetime) -> list[Span]:
    """Returns the spans of a TaskRun that was deleted before its end."""
    if run.over:
        return []
    status = run.status
    pod = status.pod_ref.name if status.pod_ref is not None else ""
    opened = Attempt(status.attempt, status.try_number, pod, status.node, reason=DELETED)
    spans = _of_attempt(run, status, opened, now) if run.attempt_open else []
    return spans + _of_taskrun(run, status, _ns(now), DELETED, DELETED, failed=False)


def _of_taskrun(run: TaskRun, status: Status, end: int, state: str, reason: str, *, failed: bool) -> list[Span]:
    root, start = span_id(run.uid, 0, TASKRUN), _begins(run, status)
    spec = run.spec
    attributes: dict[str, Value] = {
        "k8s.namespace.name": run.namespace,
        "airlock.taskrun.name": run.name,
        "airlock.taskrun.uid": run.uid,
        "airlock.dag_id": spec.dag_id,
        "airlock.task_id": spec.task_id,
        "airlock.run_id": status.run_id or run.run_id,
        "airlock.map_index": spec.map_index,
        "airlock.state": state,
        "airlock.reason": reason,
        "airlock.attempts": status.attempt,
    }
    name = f"{spec.dag_id}.{spec.task_id}"
    own = Span(
        name=name, span_id=root, parent_id=0, start=start, end=max(start, end), failed=failed, attributes=attributes
    )
    if status.attempt:
        return [own]
    return [own, _queued(run, 1, start, max(start, end))]


def _of_attempt(run: TaskRun, after: Status, ended: Attempt, now: datetime) -> list[Span]:
    zero = _zero(run, after)
    marks = {name: zero + round(seconds * 1e9) for name, seconds in after.timeline.items()}
    begin = marks.pop("admitted", zero)
    end = max(begin, _ends(after, now))
    marks = {name: min(max(at, begin), end) for name, at in marks.items() if name != "finished"}
    own, number = span_id(run.uid, ended.attempt, ATTEMPT), ended.attempt
    attributes: dict[str, Value] = {
        "airlock.attempt": number,
        "airlock.try": ended.try_number,
        "airlock.reason": ended.reason,
        "k8s.namespace.name": run.namespace,
        "k8s.pod.name": ended.pod,
        "k8s.node.name": ended.node,
    }
    failed = _failed(ended.reason)
    spans = [
        _queued(run, number, _waits_since(run, after, begin), begin),
        Span(
            name=f"attempt {number}",
            span_id=own,
            parent_id=span_id(run.uid, 0, TASKRUN),
            start=begin,
            end=end,
            failed=failed,
            attributes={name: value for name, value in attributes.items() if value != ""},
            events=tuple(sorted(marks.items(), key=lambda mark: mark[1])),
        ),
    ]
    cursor = begin
    for name, start, stop, last in _steps(marks, cursor, end):
        about: dict[str, Value] = {"airlock.attempt": number}
        step = span_id(run.uid, number, name)
        spans.append(
            Span(
                name=name,
                span_id=step,
                parent_id=own,
                start=start,
                end=stop,
                failed=failed and last,
                attributes=about,
            )
        )
    return spans


def _steps(marks: dict[str, int], begin: int, end: int) -> list[tuple[str, int, int, bool]]:
    """
    Returns the steps that an attempt came to: each one's name, start and end, and whether it is the one in which the
    attempt ended. A step whose mark is missing between two others belongs to the one after it.
    """
    steps: list[tuple[str, int, int, bool]] = []
    reached = [next((marks[mark] for mark in ends if mark in marks), None) for _, ends in _STEPS]
    cursor = begin
    for place, (name, _) in enumerate(_STEPS):
        at = reached[place]
        if at is None and any(later is not None for later in reached[place:]):
            continue
        if at is None:
            return [*steps, (name, cursor, end, True)]
        at = max(at, cursor)
        steps.append((name, cursor, at, False))
        cursor = at
    # What failed did so before it was reported: the step that ran.
    name, start, stop, _ = steps[-1]
    return [*steps[:-1], (name, start, stop, True), (_LAST, cursor, end, False)]


def _queued(run: TaskRun, attempt: int, start: int, end: int) -> Span:
    """Returns the span of the wait for an attempt: for the operator, a retry's pause or a slot."""
    return Span(
        name=_QUEUED,
        span_id=span_id(run.uid, attempt, _QUEUED),
        parent_id=span_id(run.uid, 0, TASKRUN),
        start=min(start, end),
        end=end,
        failed=False,
        attributes={"airlock.attempt": attempt},
    )


def _waits_since(run: TaskRun, after: Status, begin: int) -> int:
    """Returns when the wait for the present attempt began: the end before it, which a status has to the second."""
    earlier = run.status.attempts
    if not earlier:
        return _begins(run, after)
    return _ns(parse_time(earlier[-1].finished_at)) if earlier[-1].finished_at else begin


def _begins(run: TaskRun, status: Status) -> int:
    """Returns when a TaskRun was made, by the API server's clock; that may be ahead, but not of its first sight."""
    return min(_ns(run.created), _zero(run, status))


def _zero(run: TaskRun, status: Status) -> int:
    """Returns what a timeline counts from."""
    return _ns(parse_time(status.seen_at)) if status.seen_at else _ns(run.created)


def _ends(after: Status, now: datetime) -> int:
    finished = after.timeline.get("finished")
    if finished is None or not after.seen_at:
        return _ns(now)
    return _ns(parse_time(after.seen_at)) + round(finished * 1e9)


def _failed(reason: str) -> bool:
    return reason in Reason.__members__.values() and Reason(reason).event_type == WARNING


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
