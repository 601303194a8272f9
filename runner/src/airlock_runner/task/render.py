"""
Renders a task's arguments for its function: XComArgs become the values of the tasks before it, and templates are
rendered. The fields are Airflow's: ``op_args``, ``op_kwargs`` and ``templates_dict``.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airlock.sdk._task import Task
from airlock.sdk._templates import render
from airlock.sdk._xcom import XComArg, replaced
from airlock.sdk.exceptions import NotJson
from airlock_runner.json_values import plain
from airlock_runner.task.task_instance import RunningTaskInstance

#: How much of one field is kept for people to look at.
MAX_FIELD_CHARS: Final = 4096


class Arguments(msgspec.Struct, frozen=True):
    """The arguments of one call."""

    op_args: tuple[Any, ...]
    op_kwargs: dict[str, Any]
    templates_dict: dict[str, Any] | None


def arguments_of(task: Task, ti: RunningTaskInstance, context: Mapping[str, Any]) -> Arguments:
    """
    Returns the task's arguments, rendered. An XCom that several arguments use is pulled once. Raises TemplateError.
    """
    values: dict[tuple[str, str], Any] = {}

    def pull(arg: XComArg) -> Any:
        place = (arg.task.task_id, arg.key)
        if place not in values:
            values[place] = ti.xcom_pull(task_ids=arg.task.task_id, key=arg.key)
        return values[place]

    def field(value: Any, name: str) -> Any:
        return replaced(value, pull, lambda text: render(text, context, f"task {task.task_id!r}: {name}"))

    return Arguments(
        op_args=tuple(field(value, f"op_args[{i}]") for i, value in enumerate(task.op_args)),
        op_kwargs={key: field(value, f"op_kwargs[{key!r}]") for key, value in task.op_kwargs.items()},
        templates_dict=field(task.options.templates_dict, "templates_dict"),
    )


def shown(arguments: Arguments) -> dict[str, Any]:
    """
    Returns the arguments as people see them: JSON, each field bounded. A value that is not JSON is shown as its repr.
    """
    return {
        "op_args": _bounded(list(arguments.op_args)),
        "op_kwargs": _bounded(arguments.op_kwargs),
        "templates_dict": _bounded(arguments.templates_dict),
    }


def _bounded(value: Any) -> Any:
    try:
        value = plain(value, "field")
        text = msgspec.json.encode(value).decode()
    except NotJson:
        value = text = repr(value).encode(errors="backslashreplace").decode()
    if len(text) <= MAX_FIELD_CHARS:
        return value
    return f"{text[:MAX_FIELD_CHARS]}… [cut: {len(text)} characters]"
