"""
What a pod's first exchange does to the task instance that it is to run. Pure, and total over all states.

The pod is already known to be the one that counts for its TaskRun; what is decided here is what its predecessors left.
"""

from enum import Enum

import msgspec

from airlock_wire.states import FINISHED, TaskInstanceState


class Found(msgspec.Struct, frozen=True):
    """The task instance's row as it is. ``mine``: it is this TaskRun that runs it."""

    state: TaskInstanceState
    try_number: int
    mine: bool


class Step(Enum):
    """What to do with the row."""

    #: There is none: queue the task instance.
    CREATE = "create"
    #: Nobody has begun: it is queued already, under the id it has.
    KEEP = "keep"
    #: A lost launch had begun this try: queue the same try again, under the same id.
    REQUEUE = "requeue"
    #: The next try, under an id of its own.
    NEXT_TRY = "next try"
    #: The try is finished: PATCH /run will say so.
    FINISHED = "finished"
    #: Another TaskRun, or a launch on the server's machine, is running it.
    BUSY = "busy"
    #: A later try has begun: this pod is of the past.
    SUPERSEDED = "superseded"


_S = TaskInstanceState
#: Over, and not for the operator to run again, whatever it believes.
_FOR_GOOD = FINISHED - {_S.FAILED}
#: Nothing has begun that could be lost.
_WAITING = frozenset({_S.NONE, _S.SCHEDULED, _S.UP_FOR_RETRY})


def succeed(found: Found | None, try_number: int) -> Step:
    """The step for a pod of this try."""
    if found is None:
        return Step.CREATE
    if not found.mine:
        return Step.NEXT_TRY if found.state in FINISHED else Step.BUSY
    if try_number < found.try_number:
        return Step.SUPERSEDED
    if found.state in _FOR_GOOD:
        return Step.FINISHED
    if found.state in _WAITING or try_number > found.try_number:
        return Step.NEXT_TRY
    if found.state is _S.FAILED:
        return Step.FINISHED
    return Step.KEEP if found.state is _S.QUEUED else Step.REQUEUE
