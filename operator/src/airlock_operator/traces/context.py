"""
Finds the trace of a TaskRun, and what its runner is told of it (W3C Trace Context). Pure.

Whoever makes a TaskRun may say which trace it belongs to. Else the trace's id follows from the TaskRun's UID. A span's
id follows from the UID, the attempt and the span's name. So another operator makes the same ids.
"""

import hashlib
import re
from typing import NamedTuple

from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.settings import Traces

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY = r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER = re.compile(rf"{_KEY}={_VALUE}")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
_SAMPLED = 1
_LOW_64 = (1 << 64) - 1


class Parent(NamedTuple):
    """The span that a TaskRun's maker made it in."""

    trace_id: int
    span_id: int
    sampled: bool


class Trace(NamedTuple):
    """A TaskRun's trace. ``parent`` is None where its maker named none; ``state`` is the ``tracestate`` beside it."""

    trace_id: int
    sampled: bool
    parent: Parent | None
    state: str


def parsed(text: str) -> Parent | None:
    """Returns the span of a ``traceparent``; None for a text that is not one."""
    match = _PARENT.fullmatch(text)
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not (trace_id and span_id):
        return None
    return Parent(trace_id, span_id, bool(int(match[4], 16) & _SAMPLED))


def valid_state(text: str) -> bool:
    """Tells whether a text is a ``tracestate``."""
    members = [member for each in text.split(",") if (member := each.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    fits = len(text) <= _LONGEST_STATE and len(keys) == len(members) <= _MOST_MEMBERS
    return bool(members) and fits and all(_MEMBER.fullmatch(member) for member in members)


def refused(run: TaskRun) -> list[str]:
    """Returns the names of what a TaskRun says of its trace and what is ignored, because it is not of W3C's form."""
    bad = ["traceparent"] if run.traceparent and parsed(run.traceparent) is None else []
    return [*bad, "tracestate"] if run.tracestate and not valid_state(run.tracestate) else bad


def trace_of(run: TaskRun, settings: Traces) -> Trace:
    """Returns a TaskRun's trace. A parent says whether it is sampled; without one the trace's id and the ratio do."""
    parent = parsed(run.traceparent)
    if parent is not None:
        state = run.tracestate if valid_state(run.tracestate) else ""
        return Trace(parent.trace_id, parent.sampled, parent, state)
    trace_id = int.from_bytes(hashlib.sha256(f"airlock/{run.uid}".encode()).digest()[:16]) or 1
    # The rule of OpenTelemetry's own TraceIdRatioBased.
    sampled = trace_id & _LOW_64 < round(settings.ratio * (_LOW_64 + 1))
    return Trace(trace_id, sampled, None, "")


def span_id(uid: str, attempt: int, name: str) -> int:
    """Returns the id of a span of a TaskRun; attempt 0 is the TaskRun's own."""
    return int.from_bytes(hashlib.sha256(f"airlock/{uid}/{attempt}/{name}".encode()).digest()[:8]) or 1


def environment(run: TaskRun, attempt: int, settings: Traces) -> dict[str, str]:
    """
    Returns the variables by which user code goes on with the trace: below its attempt's span where that is exported,
    else below the span of the TaskRun's maker.
    """
    trace = trace_of(run, settings)
    on = bool(settings.endpoint)
    if not on and trace.parent is None:
        return {}
    if on and (trace.sampled or trace.parent is None):
        span = span_id(run.uid, attempt, ATTEMPT)
    else:
        assert trace.parent is not None  # noqa: S101 - the two conditions above
        span = trace.parent.span_id
    variables = {"TRACEPARENT": f"00-{trace.trace_id:032x}-{span:016x}-{int(trace.sampled):02x}"}
    return variables | {"TRACESTATE": trace.state} if trace.state else variables


#: The names of the spans of a TaskRun and of an attempt, as far as their ids go.
TASKRUN, ATTEMPT = "taskrun", "attempt"
