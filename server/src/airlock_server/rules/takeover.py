"""
Decides what a pod's first exchange does to its task instance. Pure, and total over all states.

The pod is already known to be its TaskRun's current pod; the decision is about what earlier pods left behind.
"""

from enum import Enum

import msgspec

from airlock_wire.states import FINISHED, TaskInstanceState


class Found(msgspec.Struct, frozen=True):
    """The task instance's row. ``same_taskrun``: this TaskRun runs it."""

    state: TaskInstanceState
    try_number: int
    same_taskrun: bool


class Step(Enum):
    """What to do with the row."""

    #: The task instance does not exist: queue it.
    CREATE = "create"
    #: No launch has begun: it stays queued, under its id.
    KEEP = "keep"
    #: A lost launch had begun this try: queue the same try again, under the same id.
    REQUEUE = "requeue"
    #: The next try, under an id of its own.
    NEXT_TRY = "next try"
    #: The try is finished: PATCH /run will say so.
    FINISHED = "finished"
    #: Another TaskRun, or a launch on the server's machine, is running it.
    BUSY = "busy"
    #: A later try has begun: this pod is too late.
    SUPERSEDED = "superseded"


_S = TaskInstanceState
#: Over, and not for the operator to run again, whatever it believes.
_FOR_GOOD = FINISHED - {_S.FAILED}
#: The states after its DAG run was cleared: whoever ran it does not any more.
_CLEARED = frozenset({_S.NONE, _S.RESTARTING})
#: The states in which no launch has begun.
_WAITING = frozenset({_S.NONE, _S.SCHEDULED, _S.UP_FOR_RETRY})


def succeed(row: Found | None, try_number: int) -> Step:
    """Returns the step for a pod of this try."""
    if row is None:
        return Step.CREATE
    if not row.same_taskrun:
        return Step.NEXT_TRY if row.state in FINISHED | _CLEARED else Step.BUSY
    if try_number < row.try_number:
        return Step.SUPERSEDED
    if row.state in _FOR_GOOD:
        return Step.FINISHED
    if row.state in _WAITING or try_number > row.try_number:
        return Step.NEXT_TRY
    if row.state is _S.FAILED:
        return Step.FINISHED
    return Step.KEEP if row.state is _S.QUEUED else Step.REQUEUE
