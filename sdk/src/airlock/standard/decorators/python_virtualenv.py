"""``@task.virtualenv``: a function that runs in another Python."""

from collections.abc import Callable, Collection
from typing import Any

from airlock.sdk.bases.decorator import task_decorator_factory
from airlock.standard.decorators.python import PythonDecoratedOperator
from airlock.standard.operators.python_virtualenv import PythonVirtualenvOperator


class PythonVirtualenvDecoratedOperator(PythonDecoratedOperator, PythonVirtualenvOperator):
    """Calls a function under ``@task.virtualenv``."""

    template_fields: Collection[str] = PythonVirtualenvOperator.template_fields
    custom_operator_name = "@task.virtualenv"


def virtualenv_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> Any:
    """Makes a function a task in another Python."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=PythonVirtualenvDecoratedOperator,
        **kwargs,
    )
