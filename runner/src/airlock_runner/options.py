"""What a launch takes from the task itself, where whoever made the launch does not know the DAG."""

from typing import Any, Final

from airlock_wire.options import TaskOptions

#: An author who wrote one of these relies on the delay between tries.
_DELAY_IS_MEANT: Final = frozenset({"retries", "retry_delay", "retry_exponential_backoff", "max_retry_delay"})


def written_options(task: Any) -> TaskOptions:
    """
    Returns the options that the author wrote. Written retries include the delay between them, and so does a written
    growth of that delay, even if the delay is the SDK's default.
    """
    written = task.partial_kwargs if task.is_mapped else vars(task).get("_init_kwargs", {})
    limit, most = task.execution_timeout, task.max_retry_delay
    has_delay = not _DELAY_IS_MEANT.isdisjoint(written)
    return TaskOptions(
        retries=task.retries if "retries" in written else None,
        retry_delay_seconds=task.retry_delay.total_seconds() if has_delay else None,
        execution_timeout_seconds=None if limit is None else limit.total_seconds(),
        retry_exponential_backoff=multiplier(task.retry_exponential_backoff) or None,
        max_retry_delay_seconds=None if most is None else most.total_seconds(),
    )


def multiplier(backoff: Any) -> float:
    """Returns what the delay is multiplied with after each try; 0 for a delay that stays."""
    # True is Airflow's older form of a doubling.
    return 2.0 if backoff is True else float(backoff or 0)


def line_of(task: Any) -> int:
    """Returns the line on which a task's function is defined, 0 where that is unknown."""
    function = task.partial_kwargs.get("python_callable") if task.is_mapped else getattr(task, "python_callable", None)
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if code is not None else 0
