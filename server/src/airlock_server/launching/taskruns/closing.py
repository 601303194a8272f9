"""
Closes the task instance of a TaskRun that is over or gone, because nobody will report its state any more.
"""

import sqlalchemy as sa

from airlock_server.store import attempts, task_instances
from airlock_server.store.engine.types import now
from airlock_wire.states import FINISHED, TaskInstanceState
from airlock_wire.taskrun import Status

_GONE = "the TaskRun was deleted"


def final_state(state: TaskInstanceState, status: Status | None) -> TaskInstanceState | None:
    """
    Returns the state that closes a row in ``state``, None if the row stays as it is. ``status`` is the TaskRun's, None
    if the TaskRun is gone. Pure.
    """
    if state in FINISHED:
        return None
    reported = status.state if status is not None else ""
    if reported == state.value and state is not TaskInstanceState.RUNNING and state is not TaskInstanceState.QUEUED:
        # It rests in a state that the operator knows about, as a deferred task does.
        return None
    return TaskInstanceState(reported) if reported in FINISHED else TaskInstanceState.FAILED


def because(status: Status | None) -> str:
    """Returns the row's explanation: the operator's reason and message, or that the TaskRun is gone."""
    if status is None:
        return _GONE
    return f"{status.reason or 'Over'}: {status.message}".rstrip(": ")


def close(conn: sa.Connection, taskrun_uid: str, status: Status | None) -> TaskInstanceState | None:
    """Ends the attempts of a TaskRun and closes its task instance; the state it was closed with, if it was."""
    attempts.lock(conn, taskrun_uid)
    attempts.end(conn, taskrun_uid, "the TaskRun is over" if status is not None else _GONE)
    row = attempts.row_of_taskrun(conn, taskrun_uid)
    if row is None or (state := final_state(row[1], status)) is None:
        return None
    values = {"reason": because(status), "end_date": now(), "next_method": None, "next_kwargs": None}
    owner = task_instances.BY_OWNER
    task_instances.move(conn, row[0], row[1], state, by=owner, values=values)
    return state
