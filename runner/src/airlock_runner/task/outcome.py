"""
Turns the exception that ended a task into its terminal message. Pure.

| the task's code                     | with tries left | without       |
|-------------------------------------|-----------------|---------------|
| returned                            | success         | success       |
| raised AirlockSkipException         | skipped         | skipped       |
| raised AirlockFailException         | failed          | failed        |
| raised anything else                | up_for_retry    | failed        |
| called sys.exit(), with any code    | up_for_retry    | failed        |

A task that exits has not returned, so ``sys.exit(0)`` is not a success; Airflow's runner does the same. A stop
(TaskTerminated) is an ordinary failure here: the sidecar knows that a stop came first, and withholds the failure.
"""

from datetime import datetime
from typing import Any

from airlock.sdk.exceptions import AirlockFailException, AirlockSkipException
from airlock_runner.logs import text_of
from airlock_wire.protocol.messages import RetryTask, SucceedTask, TaskState, Terminal

_MAX_REASON_CHARS = 500

Written = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def outcome_of(
    error: BaseException | None,
    *,
    should_retry: bool,
    retry_delay_seconds: float | None,
    now: datetime,
    written: Written = ([], []),
) -> Terminal:
    """
    Returns the terminal message for a task that ended with ``error``, or that returned if ``error`` is None. Only then
    ``written`` counts: its outlets, and what it said of them.
    """
    if error is None:
        return SucceedTask(end_date=now, task_outlets=written[0], outlet_events=written[1])
    if isinstance(error, AirlockSkipException):
        return TaskState(state="skipped", end_date=now)
    if should_retry and not isinstance(error, AirlockFailException):
        return RetryTask(end_date=now, retry_delay_seconds=retry_delay_seconds, retry_reason=summary(error))
    return TaskState(state="failed", end_date=now)


def summary(error: BaseException) -> str:
    """Returns the error in one line: its kind and the first line of its text, cut to what the server keeps."""
    text = text_of(error).strip().partition("\n")[0]
    if isinstance(error, SystemExit):
        text = f"the task called sys.exit({text})"
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    line = line.encode(errors="backslashreplace").decode()
    return line if len(line) <= _MAX_REASON_CHARS else line[: _MAX_REASON_CHARS - 1] + "…"
