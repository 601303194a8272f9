"""
The states of a task instance: which sets they form, and who moves an instance from one to another.
"""

from enum import Enum
from typing import Final

from airlock_wire.states import FINISHED, TaskInstanceState

_S = TaskInstanceState

#: An instance in one of these may be made scheduled.
SCHEDULABLE: Final = frozenset({_S.NONE, _S.UP_FOR_RETRY, _S.UP_FOR_RESCHEDULE})
#: An instance in one of these takes a place of those that a DAG or a task may have at once.
ACTIVE: Final = frozenset({_S.RUNNING, _S.QUEUED, _S.DEFERRED, _S.AWAITING_INPUT})
SUCCESSFUL: Final = frozenset({_S.SUCCESS, _S.SKIPPED})
UNSUCCESSFUL: Final = frozenset({_S.FAILED, _S.UPSTREAM_FAILED})
UNFINISHED: Final = frozenset(_S) - FINISHED


class Mover(Enum):
    """Who moves a task instance."""

    SCHEDULER = "scheduler"
    QUEUE = "queue"
    WORKER = "worker"
    RUNNER = "runner"
    TRIGGER = "trigger"
    PERSON = "person"
    CLEAR = "clear"
    STOP = "stop"


_M = Mover
_BY_HAND: Final = {_S.SUCCESS, _S.FAILED, _S.SKIPPED}

#: Who may move an instance from a state to another. What is not here is not a move.
MOVES: Final[dict[tuple[TaskInstanceState, TaskInstanceState], frozenset[Mover]]] = {}


def _add(befores: set[TaskInstanceState], afters: set[TaskInstanceState], mover: Mover) -> None:
    for before in befores:
        for after in afters - {before}:
            MOVES[before, after] = MOVES.get((before, after), frozenset()) | {mover}


# Dependencies are met, or decide that the task does not run.
_add(set(SCHEDULABLE), {_S.SCHEDULED}, _M.SCHEDULER)
_add(set(SCHEDULABLE), {_S.SKIPPED, _S.UPSTREAM_FAILED, _S.REMOVED}, _M.SCHEDULER)
# An empty task is done without a runner; a task may begin with its trigger.
_add(set(SCHEDULABLE), {_S.SUCCESS, _S.DEFERRED}, _M.SCHEDULER)
# A task that is gone from the DAG, or an index beyond the new length; and one that came back.
_add(set(UNFINISHED), {_S.REMOVED}, _M.SCHEDULER)
_add({_S.REMOVED}, {_S.NONE}, _M.SCHEDULER)
# The limits leave room; the queue takes too long; the run has ended meanwhile, or nobody knows the launch any more.
_add({_S.SCHEDULED}, {_S.QUEUED}, _M.QUEUE)
_add({_S.QUEUED}, {_S.SCHEDULED, _S.FAILED}, _M.QUEUE)
_add({_S.SCHEDULED, _S.QUEUED, _S.RUNNING, _S.RESTARTING}, {_S.NONE}, _M.QUEUE)
_add({_S.QUEUED, _S.RESTARTING}, {_S.RUNNING}, _M.WORKER)
_add(
    {_S.RUNNING},
    {
        _S.SUCCESS,
        _S.FAILED,
        _S.SKIPPED,
        _S.UP_FOR_RETRY,
        _S.UP_FOR_RESCHEDULE,
        _S.DEFERRED,
        _S.AWAITING_INPUT,
        _S.REMOVED,
        _S.UPSTREAM_FAILED,
    },
    _M.RUNNER,
)
# A heartbeat that is missing, and an executor that saw the end first.
_add({_S.RUNNING, _S.SCHEDULED, _S.QUEUED, _S.RESTARTING}, {_S.UP_FOR_RETRY, _S.FAILED}, _M.STOP)
# A time limit of the run, or fail_fast.
_add(set(UNFINISHED), {_S.SKIPPED, _S.FAILED}, _M.STOP)
_add({_S.DEFERRED}, {_S.SCHEDULED, _S.SUCCESS, _S.FAILED, _S.SKIPPED, _S.UP_FOR_RETRY}, _M.TRIGGER)
_add({_S.AWAITING_INPUT}, {_S.SCHEDULED}, _M.TRIGGER)
_add(set(_S) - {_S.RUNNING}, {_S.NONE}, _M.CLEAR)
_add({_S.RUNNING}, {_S.RESTARTING}, _M.CLEAR)
_add(set(_S), _BY_HAND, _M.PERSON)
