"""``@task.stub``: a task that is written in another language."""

import ast
from collections.abc import Callable
from typing import Any

from airlock.sdk.bases.decorator import DecoratedOperator, task_decorator_factory


class StubOperator(DecoratedOperator):
    """Stands in the DAG for a task that another runtime runs; its function is empty."""

    custom_operator_name = "@task.stub"
    is_stub = True

    def __init__(self, *, python_callable: Callable[..., Any], task_id: str, **kwargs: Any) -> None:
        """Raises ValueError for a function with a body, and for what only Python could do."""
        super().__init__(python_callable=python_callable, task_id=task_id, **kwargs)
        if self.retry_policy is not None:
            raise ValueError("@task.stub does not support retry_policy, which is Python; use retries")
        body = ast.parse(self.get_python_source()).body
        if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
            raise RuntimeError("@task.stub goes on one plain function")
        for statement in body[0].body:
            if isinstance(statement, ast.Pass) or _is_text_or_dots(statement):
                continue
            raise ValueError(
                f"@task.stub: the function {python_callable.__name__} must be empty (`pass`, or `...` only)"
            )

    def execute(self, context: Any) -> Any:
        """Raises RuntimeError: another runtime was to run it."""
        del context
        raise RuntimeError(
            f"the stub {self.task_id!r} runs in another runtime than Python; correct its queue, so that a worker of "
            "that runtime gets it"
        )


def _is_text_or_dots(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and (isinstance(statement.value.value, str) or statement.value.value is ...)
    )


def stub(
    python_callable: Callable[..., Any] | None = None,
    queue: str | None = None,
    executor: str | None = None,
    **kwargs: Any,
) -> Any:
    """Makes an empty function stand for a task in another language."""
    given: dict[str, Any] = {
        name: value for name, value in (("queue", queue), ("executor", executor)) if value is not None
    }
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=StubOperator, **given, **kwargs
    )
