"""
Decides what a launch's call does to a task instance, and so how the Execution API answers. Pure.

``Seen`` is the row as it is. A call and a row give a verdict, the store carries it out, and the API words the answer.
The transitions are the wire's table (``airlock_wire.states``); this module also checks who is calling.
"""

from enum import Enum
from typing import Literal

import msgspec

from airlock_wire.states import TaskInstanceState, may_report, may_run


class Seen(msgspec.Struct, frozen=True):
    """The part of a task instance's row that a verdict needs. ``hostname`` and what follows are of the launch."""

    state: TaskInstanceState
    hostname: str | None = None
    unixname: str | None = None
    pid: int | None = None


class Missing(Enum):
    """Why a row does not exist: the id was never ours, or a retry or clear gave the task instance a new id."""

    UNKNOWN = "unknown"
    ARCHIVED = "archived"


class Caller(msgspec.Struct, frozen=True):
    """Which process is calling PATCH /run."""

    hostname: str
    unixname: str
    pid: int


class Verdict(Enum):
    """What to do, and so how to answer."""

    MOVE = "move"
    #: The call was carried out before: answer as then, change nothing.
    REPLAY = "replay"
    NOT_FOUND = "not_found"
    GONE = "gone"
    INVALID_STATE = "invalid_state"
    #: The state could move, but the report contradicts itself: nothing is done.
    INVALID_REPORT = "invalid_report"
    RUNNING_ELSEWHERE = "running_elsewhere"
    NOT_RUNNING = "not_running"
    BEAT = "beat"


def on_run(
    current: Seen | Missing, launch: Caller
) -> Literal[Verdict.MOVE, Verdict.REPLAY, Verdict.NOT_FOUND, Verdict.INVALID_STATE]:
    """
    Decides PATCH /run: accepted once for a launch, and again from the same process, which may have lost the answer.
    """
    if isinstance(current, Missing):
        return Verdict.NOT_FOUND
    if may_run(current.state):
        return Verdict.MOVE
    same = (current.hostname, current.unixname, current.pid) == (launch.hostname, launch.unixname, launch.pid)
    return Verdict.REPLAY if current.state is TaskInstanceState.RUNNING and same else Verdict.INVALID_STATE


def on_report(
    current: Seen | Missing, reported: TaskInstanceState
) -> Literal[Verdict.MOVE, Verdict.REPLAY, Verdict.NOT_FOUND, Verdict.INVALID_STATE]:
    """Decides PATCH /state. A state that a launch may not report is accepted too: the store turns it into failed."""
    if isinstance(current, Missing):
        return Verdict.NOT_FOUND
    if current.state is reported:
        return Verdict.REPLAY
    return Verdict.MOVE if current.state is TaskInstanceState.RUNNING else Verdict.INVALID_STATE


def state_after_report(reported: TaskInstanceState) -> TaskInstanceState:
    """Returns a running task instance's state after a report. A state that no launch may report means it failed."""
    return reported if may_report(TaskInstanceState.RUNNING, reported) else TaskInstanceState.FAILED


def on_heartbeat(
    current: Seen | Missing, hostname: str, pid: int
) -> Literal[Verdict.BEAT, Verdict.NOT_FOUND, Verdict.GONE, Verdict.RUNNING_ELSEWHERE, Verdict.NOT_RUNNING]:
    """Decides PUT /heartbeat: compares the caller first, then the state."""
    if isinstance(current, Missing):
        return Verdict.GONE if current is Missing.ARCHIVED else Verdict.NOT_FOUND
    if (current.hostname, current.pid) != (hostname, pid):
        return Verdict.RUNNING_ELSEWHERE
    return Verdict.BEAT if current.state is TaskInstanceState.RUNNING else Verdict.NOT_RUNNING
