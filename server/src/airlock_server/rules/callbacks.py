"""Which callbacks of a task the platform calls, because the task's own runner did not. Pure."""

from typing import Final, Literal

from airlock_wire.dags.task import SerializedTask
from airlock_wire.record import Record
from airlock_wire.states import TaskInstanceState

State = Literal["failed", "up_for_retry"]

#: The names of the callbacks, as a parsed task has them.
_CALLBACKS: Final[dict[State, str]] = {"failed": "on_failure", "up_for_retry": "on_retry"}
_STATES: Final[dict[TaskInstanceState, State]] = {
    TaskInstanceState.FAILED: "failed",
    TaskInstanceState.UP_FOR_RETRY: "up_for_retry",
}


def of_lost_runner(state: TaskInstanceState, record: Record | None) -> State | None:
    """
    Returns the state whose callbacks a task instance still needs after its launch; None if its runner has called them.

    A runner calls them after it has reported the state. ``record`` is the sidecar's, None if it left none.
    """
    if record is not None and record.state is not None and not record.judged:
        return None
    return _STATES.get(state)


def tells_somebody(task: SerializedTask, state: State) -> bool:
    """Tells whether the author wants to know of this state: by a callback, or by mail."""
    mails = {"failed": task.email_on_failure, "up_for_retry": task.email_on_retry}
    return _CALLBACKS[state] in task.has_callbacks or (bool(task.email) and mails[state])
