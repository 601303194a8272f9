"""
The states of a task instance, and which call of the Execution API may move it from one to another.

One total table, so that the server's answers, the sidecar's judgement and the docs cannot disagree. The
transitions are those measured on Airflow 3.3.2 for all states and calls.
"""

from enum import StrEnum


class TaskInstanceState(StrEnum):
    """A task instance's state, spelt as Airflow spells it. ``NONE`` stands for a state that is not set."""

    NONE = "none"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RESTARTING = "restarting"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    REMOVED = "removed"
    UPSTREAM_FAILED = "upstream_failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


_S = TaskInstanceState

#: The states that a running task may report through PATCH /state.
REPORTABLE = frozenset(
    {
        _S.SUCCESS,
        _S.FAILED,
        _S.SKIPPED,
        _S.REMOVED,
        _S.UPSTREAM_FAILED,
        _S.UP_FOR_RETRY,
        _S.UP_FOR_RESCHEDULE,
        _S.DEFERRED,
        _S.AWAITING_INPUT,
    }
)

#: For each state, the states that an Execution API call may move it to. Being equal is a replay, not a move.
NEXT: dict[TaskInstanceState, frozenset[TaskInstanceState]] = {
    _S.NONE: frozenset(),
    _S.SCHEDULED: frozenset(),
    _S.QUEUED: frozenset({_S.RUNNING}),
    _S.RESTARTING: frozenset({_S.RUNNING}),
    _S.RUNNING: REPORTABLE,
    _S.SUCCESS: frozenset(),
    _S.FAILED: frozenset(),
    _S.SKIPPED: frozenset(),
    _S.REMOVED: frozenset(),
    _S.UPSTREAM_FAILED: frozenset(),
    _S.UP_FOR_RETRY: frozenset(),
    _S.UP_FOR_RESCHEDULE: frozenset(),
    _S.DEFERRED: frozenset(),
    _S.AWAITING_INPUT: frozenset(),
}

#: The states in which a task instance is over: it runs again only if somebody clears it.
FINISHED = frozenset({_S.SUCCESS, _S.FAILED, _S.SKIPPED, _S.REMOVED, _S.UPSTREAM_FAILED})


def may_run(state: TaskInstanceState) -> bool:
    """Tells whether PATCH /run is accepted in this state from a launch that has not run it yet."""
    return TaskInstanceState.RUNNING in NEXT[state]


def may_report(state: TaskInstanceState, reported: TaskInstanceState) -> bool:
    """Tells whether PATCH /state moves ``state`` to ``reported``."""
    return reported in REPORTABLE & NEXT[state]
