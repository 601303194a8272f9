"""``@task.short_circuit``: a function whose false answer skips what comes after it."""

from collections.abc import Callable
from typing import Any

from airlock.sdk.bases.decorator import task_decorator_factory
from airlock.standard.decorators.python import PythonDecoratedOperator
from airlock.standard.operators.python import ShortCircuitOperator


class ShortCircuitDecoratedOperator(PythonDecoratedOperator, ShortCircuitOperator):
    """Calls a function under ``@task.short_circuit``."""

    custom_operator_name = "@task.short_circuit"

    def execute(self, context: Any) -> Any:
        """Skips or lets run what comes after it."""
        return ShortCircuitOperator.execute(self, context)


def short_circuit_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> Any:
    """Makes a function a short circuit."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=ShortCircuitDecoratedOperator,
        **kwargs,
    )
