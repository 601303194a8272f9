"""
Messages of a runner in trigger mode: which trigger it runs, and how that ended. Airlock's own.

Airflow runs triggers in a process of its own that holds the installation's keys. Here each trigger is in a process of
the author's, behind a sidecar, with the rights of the task instance that waits for it.
"""

from typing import Any, Literal

import msgspec

from airlock_wire.protocol.messages import Message, StartupDetails

#: Airflow's words for why a task goes on without an event. The SDK tells a time-out by its word.
FAILURE = "Trigger failure"
TIMEOUT = "Trigger timeout"


class TriggerRequest(Message, frozen=True, kw_only=True):
    """
    The message that starts a runner in trigger mode; it answers with ``TriggerResult``.

    ``classpath`` and ``kwargs``, as they were serialized, make the trigger. With ``starts`` no process of the task has
    run yet: then the task's own ``start_trigger_args`` make it, and its fields are rendered. ``startup`` is what the
    task instance itself would be started with. ``timeout_seconds`` is how long the wait may take, None without a limit.
    """

    startup: StartupDetails
    classpath: str
    kwargs: dict[str, Any]
    starts: bool = False
    timeout_seconds: float | None = None


class TaskEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a task without another process of it: its state, and the XComs that are pushed for it."""

    state: Literal["success", "failed", "skipped"]
    xcoms: dict[str, Any] = {}


class TriggerResult(Message, frozen=True, kw_only=True):
    """
    How a trigger ended: with an event, as it was serialized, with the task's end, or with an error. Airflow's words are
    the error, and the lines of ``traceback`` say more.
    """

    event: Any = None
    end: TaskEnd | None = None
    error: str | None = None
    traceback: list[str] | None = None
