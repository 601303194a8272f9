"""
Trigger mode: makes a trigger, waits for its first event, and answers with it, with the task's end, or with an error.

Whatever the author's code raises is a result too: the task is told. Only a stop has no result, because nobody waits.
"""

import os
import traceback
from typing import Final, Literal

from airlock.sdk.bases.trigger import BaseTaskEndEvent, TriggerEvent
from airlock.sdk.exceptions import AirlockException
from airlock.sdk.execution_time import log as sdk_log
from airlock_runner.channel import Channel
from airlock_runner.json_values import serialized
from airlock_runner.logs import Logs
from airlock_runner.trigger.loading import Waiting, load
from airlock_runner.trigger.waiting import Stopped, TookTooLong, wait_for_event
from airlock_wire.pod import CHILD_EXIT_BROKEN, EXIT_OK
from airlock_wire.protocol.triggers import FAILURE, TIMEOUT, TaskEnd, TriggerRequest, TriggerResult

#: The states in which a trigger may end its task.
_ENDS: Final[dict[str, Literal["success", "failed", "skipped"]]] = {
    "success": "success",
    "failed": "failed",
    "skipped": "skipped",
}


def run(request: TriggerRequest, channel: Channel, root: str, logs: Logs) -> int:
    """Runs a trigger and delivers its result; returns the exit code: 0 if the result was taken, or after a stop."""
    sdk_log.install(lambda level, text, logger: logs.write(level, text, logger=logger))
    waiting = Waiting(request, channel, root)
    try:
        result = _result(waiting, request, logs)
    except Stopped:
        logs.write("info", f"trigger {request.classpath} was told to stop")
        return EXIT_OK
    try:
        channel.ask(result)
    except AirlockException as e:
        logs.write("error", f"how trigger {request.classpath} ended could not be reported: {e}")
        return CHILD_EXIT_BROKEN
    if result.end is not None:
        waiting.call_back(result.end.state, logs)
    return EXIT_OK


def _result(waiting: Waiting, request: TriggerRequest, logs: Logs) -> TriggerResult:
    try:
        trigger = load(waiting)
        event = wait_for_event(trigger, request.timeout_seconds, logs)
        return _fired(event)
    except Stopped:
        raise
    except TookTooLong:
        logs.write("error", f"trigger {request.classpath} did not fire in its time")
        return TriggerResult(error=TIMEOUT)
    except BaseException as e:
        if os.getpid() != waiting.channel.pid:
            raise
        logs.write("error", f"trigger {request.classpath} failed: {type(e).__name__}", error=e)
        return TriggerResult(error=FAILURE, traceback=_lines(e))


def _fired(event: TriggerEvent) -> TriggerResult:
    """Returns the result that an event is. Raises NotJson for an event that cannot be kept."""
    if not isinstance(event, BaseTaskEndEvent):
        return TriggerResult(event=serialized(event.payload, "the trigger's event"))
    name = event.task_instance_state.value
    state = _ENDS.get(name)
    if state is None:
        raise ValueError(f"{type(event).__name__} ends a task as {name!r}; only {', '.join(_ENDS)} are ends")
    xcoms = {
        key: serialized(value, f"the XCom {key!r} of {type(event).__name__}")
        for key, value in (event.xcoms or {}).items()
    }
    return TriggerResult(end=TaskEnd(state=state, xcoms=xcoms))


def _lines(error: BaseException) -> list[str]:
    text = "".join(traceback.format_exception(error))
    return text.encode(errors="backslashreplace").decode().splitlines()
