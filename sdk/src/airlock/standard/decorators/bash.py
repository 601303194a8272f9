"""``@task.bash``: a function that returns a command of bash."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airlock.sdk._signature import signature_of, with_context
from airlock.sdk.bases.decorator import DecoratedOperator, task_decorator_factory
from airlock.sdk.basis.notset import NOTSET
from airlock.standard.operators.bash import BashOperator


class BashDecoratedOperator(DecoratedOperator, BashOperator):
    """Runs the command that a function under ``@task.bash`` returns; templates in it are rendered afterwards."""

    template_fields: Collection[str] = (*DecoratedOperator.template_fields, *BashOperator.template_fields)
    template_fields_renderers = {  # noqa: RUF012 - Airflow's form
        **DecoratedOperator.template_fields_renderers,
        **BashOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.bash"
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises TypeError for arguments that the function does not take."""
        super().__init__(
            python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, bash_command=NOTSET, **kwargs
        )

    def execute(self, context: Any) -> Any:
        """Runs the command; returns its last line of output."""
        arguments = with_context(signature_of(self.python_callable), self.op_args, self.op_kwargs, context)
        command = self.python_callable(*self.op_args, **arguments)
        if not isinstance(command, str) or not command.strip():
            raise TypeError("The returned value from the TaskFlow callable must be a non-empty string.")
        self.bash_command = command
        self.op_args, self.op_kwargs = (), {}
        self.render_template_fields(context)
        return BashOperator.execute(self, context)


def bash_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """Makes a function a task in bash."""
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=BashDecoratedOperator, **kwargs
    )
