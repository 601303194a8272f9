"""
Turns the exception that ended a task into its terminal message. Pure.

| the task's code                                    | with tries left   | without           |
|----------------------------------------------------|-------------------|-------------------|
| returned                                           | success           | success           |
| raised AirlockSkipException                        | skipped           | skipped           |
| raised AirlockFailException or AirlockSensorTimeout | failed            | failed            |
| raised AirlockRescheduleException                  | up_for_reschedule | up_for_reschedule |
| raised TaskDeferred                                | deferred          | deferred          |
| raised TaskAwaitingInput                           | awaiting_input    | awaiting_input    |
| raised anything else                               | up_for_retry      | failed            |
| called sys.exit(), with any code                   | up_for_retry      | failed            |

A task that exits has not returned, so ``sys.exit(0)`` is not a success; Airflow's runner does the same. A stop
(TaskTerminated) is an ordinary failure here: the sidecar knows that a stop came first, and withholds the failure.
"""

from datetime import datetime
from typing import Any

from airlock.sdk.exceptions import (
    AirlockFailException,
    AirlockRescheduleException,
    AirlockSensorTimeout,
    AirlockSkipException,
    TaskAwaitingInput,
    TaskDeferred,
)
from airlock_runner.logs import text_of
from airlock_wire.protocol.messages import Message, RetryTask, SucceedTask, TaskState

_MAX_REASON_CHARS = 500

Written = tuple[list[dict[str, Any]], list[dict[str, Any]]]

#: What is not a failure, although it is raised.
PAUSES = (AirlockRescheduleException, TaskDeferred, TaskAwaitingInput)


def outcome_of(
    error: BaseException | None,
    *,
    should_retry: bool,
    retry_delay_seconds: float | None,
    now: datetime,
    written: Written = ([], []),
    rendered_map_index: str | None = None,
    reason: str | None = None,
) -> Message:
    """
    Returns the terminal message for a task that ended with ``error``, or that returned if ``error`` is None. Only then
    ``written`` counts: its outlets, and what it said of them. ``reason`` is a retry policy's.
    """
    if error is None:
        outlets, events = written
        return SucceedTask(
            end_date=now, task_outlets=outlets, outlet_events=events, rendered_map_index=rendered_map_index
        )
    if isinstance(error, PAUSES):
        from airlock_runner.task.endings import pauses  # deferred: most tasks end once

        return pauses.message(error, now, rendered_map_index)
    if isinstance(error, AirlockSkipException):
        return TaskState(state="skipped", end_date=now, rendered_map_index=rendered_map_index)
    if should_retry and not isinstance(error, AirlockFailException | AirlockSensorTimeout):
        return RetryTask(
            end_date=now,
            retry_delay_seconds=retry_delay_seconds,
            retry_reason=reason or summary(error),
            rendered_map_index=rendered_map_index,
        )
    return TaskState(state="failed", end_date=now, rendered_map_index=rendered_map_index)


def summary(error: BaseException) -> str:
    """Returns the error in one line: its kind and the first line of its text, cut to what the server keeps."""
    text = text_of(error).strip().partition("\n")[0]
    if isinstance(error, SystemExit):
        text = f"the task called sys.exit({text})"
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    line = line.encode(errors="backslashreplace").decode()
    return line if len(line) <= _MAX_REASON_CHARS else line[: _MAX_REASON_CHARS - 1] + "…"
