"""
Tells each TaskRun's story: in the operator's log, a line for each decision with namespace, name, UID and attempt; and
in its trace (``traces``).

A line is told after its decision was written or done, so no decision is told twice. A status that says nothing new of
a decision has no line. No line has a message of a task, since user code may have written it.
"""

import contextlib
import logging
from typing import NamedTuple

import msgspec

from airlock_operator.decide.acts import Delete, Forget
from airlock_operator.decide.case import Answer, NoAnswer
from airlock_operator.observe import options
from airlock_operator.observe.sightings import Key, SeenRun
from airlock_operator.observe.taskrun import MAX_TOKEN_RERUNS, TaskRun, read
from airlock_operator.reasons import Reason, waits
from airlock_operator.status.changes import ended_attempt
from airlock_operator.traces.tracing import Tracing
from airlock_wire.taskrun import Attempt, Status

log = logging.getLogger("airlock.operator")

#: How much of a message of the platform's a line has.
_LONGEST_MESSAGE = 256


class Line(NamedTuple):
    """One decision: what was decided, and the fields beside those that name the attempt."""

    event: str
    more: dict[str, object]


def of_change(run: TaskRun, after: Status) -> Line | None:
    """Returns the line for a status that was written over the one of ``run``; None if nothing new was decided. Pure."""
    before = run.status
    ended = ended_attempt(before, after)
    if after.finished_at and not before.finished_at:
        return Line("taskrun ended", _over(after, ended))
    if ended is not None:
        how = {"reason": ended.reason, "pod": ended.pod, "node": ended.node}
        return Line("attempt ended", how | _budget(run, after) | {"next_attempt_at": after.next_attempt_at})
    if after.attempt > before.attempt:
        return Line("attempt begins", {"try": after.try_number})
    if after.pod_ref is not None and before.pod_ref is None:
        return Line("pod created", {"pod": after.pod_ref.name, "pod_uid": after.pod_ref.uid})
    if after.stopping and not before.stopping:
        # The line follows when the pod is deleted.
        return None
    if after.reason == before.reason:
        return None
    if after.started_at and not before.started_at:
        return Line("attempt running", {"reason": after.reason, "node": after.node})
    return Line("reason changed", {"reason": after.reason, "before": before.reason} | _message(after))


def of_answer(pod_uid: str, answer: Answer | NoAnswer) -> Line:
    """Returns the line for the server's answer about an attempt. Pure."""
    state = "silent" if isinstance(answer, NoAnswer) else answer.state or "unknown"
    return Line("server asked", {"pod_uid": pod_uid, "answer": state})


def of_act(run: TaskRun, act: Delete | Forget) -> Line:
    """Returns the line for a deletion. Pure."""
    if isinstance(act, Forget):
        return Line("taskrun deleted", {"why": "its time to live has passed"})
    if not run.over and run.status.stopping:
        why = run.status.stopping
    else:
        why = "its TaskRun is over" if run.over else "its attempt has ended"
    return Line("pod deleted", {"pod": act.name, "pod_uid": act.uid, "why": why})


def of_stray(act: Delete) -> Line:
    """Returns the line for the deletion of a pod that is not the one that counts. Pure."""
    return Line("pod deleted", {"pod": act.name, "pod_uid": act.uid, "why": "it is not the pod that counts"})


class Story:
    """Writes the lines. An act may be done more often than it is decided, so it is told once in a row."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._last: dict[Key, Line] = {}

    def changed(self, run: TaskRun, after: Status) -> None:
        """Tells of a status that was written, if it says something new."""
        line = of_change(run, after)
        if line is not None:
            _write(Key(run.namespace, run.name), run.uid, after.attempt, line)
        self._tracing.changed(run, after, ended_attempt(run.status, after))

    def acted(self, run: TaskRun, line: Line) -> None:
        """Writes the line of an act, unless it is what was last told of the TaskRun's acts."""
        key = Key(run.namespace, run.name)
        if self._last.get(key) != line:
            self._last[key] = line
            _write(key, run.uid, run.status.attempt, line)

    def gone(self, key: Key, seen: SeenRun) -> None:
        """Tells that a TaskRun is not there any more."""
        self._last.pop(key, None)
        _write(key, seen.uid, seen.attempt, Line("taskrun gone", {"state": seen.state, "reason": seen.reason}))
        if self._tracing.on and seen.data is not None:
            # One that cannot be read was never worked on.
            with contextlib.suppress(msgspec.ValidationError, ValueError, KeyError):
                self._tracing.gone(read(msgspec.json.decode(seen.data)))

    def forget(self, key: Key) -> None:
        """Forgets the acts of a TaskRun that has come to its end."""
        self._last.pop(key, None)


def _write(key: Key, uid: str, attempt: int, line: Line) -> None:
    named = {"namespace": key.namespace, "taskrun": key.name, "uid": uid, "attempt": attempt}
    log.info(line.event, extra=named | line.more)


def _over(after: Status, ended: Attempt | None) -> dict[str, object]:
    fields: dict[str, object] = {"state": after.state, "reason": after.reason, "try": after.try_number}
    if ended is not None:
        fields |= {"attempt_reason": ended.reason, "pod": ended.pod, "node": ended.node}
    return fields | {"duration": after.duration, "infra_reruns": after.infra_reruns, "token_reruns": after.token_reruns}


def _budget(run: TaskRun, after: Status) -> dict[str, object]:
    """Returns the budget that pays for the next attempt, how much of it is used, and how much there is."""
    if after.infra_reruns > run.status.infra_reruns:
        return {"budget": "infra", "used": after.infra_reruns, "of": run.spec.infra_budget}
    if after.token_reruns > run.status.token_reruns:
        return {"budget": "token", "used": after.token_reruns, "of": MAX_TOKEN_RERUNS}
    retries = after.options.get(options.RETRIES)
    used = after.try_number - run.spec.try_number
    return {"budget": "retries", "used": used, "of": int(retries.value) if retries is not None else None}


def _message(after: Status) -> dict[str, object]:
    """Returns the message of a wait, which the platform wrote; a retry's has the words of the task."""
    reason = Reason(after.reason)
    if not waits(reason) or reason is Reason.WAITING_FOR_RETRY or not after.message:
        return {}
    return {"said": after.message[:_LONGEST_MESSAGE]}
