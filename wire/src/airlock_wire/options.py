"""
The options that a TaskRun may leave to the task itself: how often it is retried, after which growing delay, and how
long it may run. The runner knows them once it has loaded the task; the sidecar and the operator act on them.
"""

import math
from typing import Final

import msgspec

#: Retries of a task, and seconds of its delays and limits (a thousand years): beyond them arithmetic with dates fails.
MAX_RETRIES: Final = 10_000
MAX_SECONDS: Final = 31_557_600_000.0

RETRIES: Final = "retries"
RETRY_DELAY: Final = "retry_delay"
EXECUTION_TIMEOUT: Final = "execution_timeout"


class TaskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options as the author wrote them; None for an option that the author did not write."""

    retries: int | None = None
    retry_delay_seconds: float | None = None
    execution_timeout_seconds: float | None = None
    #: How the delay grows (``retry_delay``), for whoever takes the delay from the task.
    retry_exponential_backoff: float | None = None
    max_retry_delay_seconds: float | None = None


def problem(options: TaskOptions) -> str:
    """
    Returns a sentence about the first option with an invalid value; empty if all are valid. User code sent them.
    """
    if options.retries is not None and not 0 <= options.retries <= MAX_RETRIES:
        return f"retries must be 0 to {MAX_RETRIES}, not {options.retries}"
    delays = (("retry_delay", options.retry_delay_seconds), ("max_retry_delay", options.max_retry_delay_seconds))
    for name, value in delays:
        if value is not None and not is_seconds(value):
            return f"{name} must be 0 to {MAX_SECONDS:g} seconds, not {value:g}"
    factor = options.retry_exponential_backoff
    if factor is not None and not (math.isfinite(factor) and factor >= 0):
        return f"retry_exponential_backoff must be a number of at least 0, not {factor:g}"
    limit = options.execution_timeout_seconds
    if limit is not None and not (is_seconds(limit) and limit > 0):
        return f"execution_timeout must be more than 0 and at most {MAX_SECONDS:g} seconds, not {limit:g}"
    return ""


def is_seconds(value: float) -> bool:
    """Tells whether a number can be a delay or a limit in seconds."""
    return math.isfinite(value) and 0 <= value <= MAX_SECONDS
