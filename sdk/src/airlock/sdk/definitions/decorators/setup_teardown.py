"""``@setup``, ``@teardown`` and ``@result``."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from airlock.sdk.definitions.decorators.task import task
from airlock.sdk.definitions.decorators.task_group import TaskGroupFunction
from airlock.sdk.exceptions import AirlockException

T = TypeVar("T")


def setup(func: Callable[..., Any]) -> Any:
    """Makes a function, or a function under ``@task``, a setup: what comes after it runs only if it succeeded."""
    function = _task(func, "setup")
    function.is_setup = True
    return function


def teardown(_func: Callable[..., Any] | None = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """
    Makes a function, or a function under ``@task``, a teardown: it runs when the work of its setups is over. With
    ``on_failure_fail_dagrun`` its failure fails the DAG run.
    """

    def decorate(func: Callable[..., Any]) -> Any:
        function = _task(func, "teardown")
        function.is_teardown = True
        function.on_failure_fail_dagrun = on_failure_fail_dagrun
        return function

    return decorate if _func is None else decorate(_func)


def result(t: T) -> T:
    """Makes the value of a function under ``@task`` the result of its DAG."""
    if not hasattr(t, "returns_dag_result"):
        raise TypeError("@result goes on a function under @task: write it above @task")
    t.returns_dag_result = True
    return t


def _task(func: Any, name: str) -> Any:
    if isinstance(func, TaskGroupFunction):
        raise AirlockException("Task groups cannot be marked as setup or teardown.")
    if isinstance(func, FunctionType):
        return task(func)
    if not hasattr(func, "is_setup"):
        raise TypeError(f"@{name} goes on a function, not on {func!r}")
    return func
