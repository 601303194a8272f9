"""
Runs the tasks of a real Airflow as TaskRuns: ``[core] executor = airlock_executor.TaskRunExecutor``.

The class is imported when it is asked for: everything beside it works, and is tested, without Airflow.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airlock_executor.airflow.executor import TaskRunExecutor

__all__ = ["TaskRunExecutor"]


def __getattr__(name: str) -> Any:
    """Returns the executor's class."""
    if name != "TaskRunExecutor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airlock_executor.airflow.executor import TaskRunExecutor

    return TaskRunExecutor
