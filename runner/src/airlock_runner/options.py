"""What a launch takes from the task itself, where whoever made the launch does not know the DAG."""

from typing import Any

from airlock_wire.options import TaskOptions


def written_options(task: Any) -> TaskOptions:
    """
    Returns the options that the author wrote. Written retries include the delay between them, even if it is the SDK's
    default.
    """
    written = task.partial_kwargs if task.is_mapped else vars(task).get("_init_kwargs", {})
    limit = task.execution_timeout
    return TaskOptions(
        retries=task.retries if "retries" in written else None,
        retry_delay_seconds=task.retry_delay.total_seconds() if {"retries", "retry_delay"} & written.keys() else None,
        execution_timeout_seconds=None if limit is None else limit.total_seconds(),
    )


def line_of(task: Any) -> int:
    """Returns the line on which a task's function is defined, 0 where that is unknown."""
    function = task.partial_kwargs.get("python_callable") if task.is_mapped else getattr(task, "python_callable", None)
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if code is not None else 0
