"""``@task``: a function as a task in Python."""

from collections.abc import Callable, Collection
from typing import Any

from airlock.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
from airlock.standard.operators.python import PythonOperator


class PythonDecoratedOperator(DecoratedOperator, PythonOperator):
    """
    Calls a function under ``@task``. ``on_kill`` is called, without arguments, when the task is told to stop; without
    it the task's code gets TaskTerminated raised into it.
    """

    template_fields: Collection[str] = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers = {"templates_dict": "json", "op_args": "py", "op_kwargs": "py"}  # noqa: RUF012 - Airflow's form
    custom_operator_name = "@task"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Any = None,
        on_kill: Callable[[], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises TypeError for arguments that the function does not take."""
        upstream = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(kwargs_to_upstream=upstream, **upstream, **kwargs)
        if on_kill is not None:
            self.on_kill = on_kill  # type: ignore[method-assign]  # the author's own, for this task alone


def python_task(
    python_callable: Callable[..., Any] | None = None, multiple_outputs: bool | None = None, **kwargs: Any
) -> Any:
    """Makes a function a task in Python. ``multiple_outputs`` None: as its return annotation says."""
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=multiple_outputs,
        decorated_operator_class=PythonDecoratedOperator,
        **kwargs,
    )
