"""``@task.branch``: a function that returns the ids of the tasks to follow."""

from collections.abc import Callable
from typing import Any

from airlock.sdk.bases.decorator import task_decorator_factory
from airlock.standard.decorators.python import PythonDecoratedOperator
from airlock.standard.operators.python import BranchPythonOperator


class BranchPythonDecoratedOperator(PythonDecoratedOperator, BranchPythonOperator):
    """Calls a function under ``@task.branch``."""

    custom_operator_name = "@task.branch"

    def execute(self, context: Any) -> Any:
        """Follows what the function returned."""
        return BranchPythonOperator.execute(self, context)


def branch_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> Any:
    """Makes a function a branch."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=BranchPythonDecoratedOperator,
        **kwargs,
    )
