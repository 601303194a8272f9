"""``@task_group``: a function whose tasks are a group, which can be mapped."""

from collections.abc import Callable, Mapping
from typing import Any

from airlock.sdk._names import near
from airlock.sdk._signature import signature_of
from airlock.sdk.bases.decorator import check_mapped_names
from airlock.sdk.definitions.graph.taskgroup import MappedTaskGroup, TaskGroup
from airlock.sdk.definitions.mapping.expansion import (
    DictOfListsExpandInput,
    ExpandInput,
    MappedArgument,
    checked_kwargs_list,
    ensure_xcomarg_return_value,
    prevent_duplicates,
)

_OPTIONS = frozenset(TaskGroup.__init__.__code__.co_varnames[: TaskGroup.__init__.__code__.co_argcount]) - {"self"}


class TaskGroupFunction:
    """A function under ``@task_group``. Calling it makes the group; ``expand`` maps it."""

    def __init__(
        self, function: Callable[..., Any], options: Mapping[str, Any], fixed: Mapping[str, Any] | None = None
    ) -> None:
        """``fixed`` are arguments of the function that ``partial`` gave. Raises TypeError for an unknown option."""
        for name in options:
            if name not in _OPTIONS:
                raise TypeError(f"@task_group has no option {name!r}; {near(name, _OPTIONS)}")
        self.function = function
        self.options = {
            "group_id": function.__name__,
            **{k: v for k, v in options.items() if (k, v) != ("group_id", None)},
        }
        self.fixed = dict(fixed or {})
        self._signature = signature_of(function)
        self._called = not self.fixed
        self.__name__, self.__doc__, self.__wrapped__ = function.__name__, function.__doc__, function

    def __del__(self) -> None:
        """Warns about a partial group that was never mapped: it is in no DAG."""
        if not getattr(self, "_called", True):
            import warnings

            warnings.warn(
                f"Partial task group {self.options['group_id']!r} was never mapped!", UserWarning, stacklevel=1
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Makes the group; returns what the function returned, or the group if that was nothing."""
        return self._make(TaskGroup, {}, args, kwargs)

    def override(self, **options: Any) -> "TaskGroupFunction":
        """Returns the same group with other options."""
        return TaskGroupFunction(self.function, {**self.options, **options}, self.fixed)

    def partial(self, **kwargs: Any) -> "TaskGroupFunction":
        """Returns the group with arguments of its function fixed; ``expand`` it over others."""
        check_mapped_names(self._signature, self.__name__, "partial", kwargs)
        prevent_duplicates(self.fixed, kwargs, fail_reason="duplicate partial")
        return TaskGroupFunction(self.function, self.options, {**self.fixed, **kwargs})

    def expand(self, **kwargs: Any) -> Any:
        """Makes the group, mapped over the cross product of lists, dicts or XComs."""
        if not kwargs:
            raise TypeError("no arguments to expand against")
        check_mapped_names(self._signature, self.__name__, "expand", kwargs)
        prevent_duplicates(self.fixed, kwargs, fail_reason="mapping already partial")
        return self._mapped(DictOfListsExpandInput(kwargs), kwargs)

    def expand_kwargs(self, kwargs: Any) -> Any:
        """Makes the group, mapped over a list of dicts of arguments."""
        expand_input = checked_kwargs_list(kwargs)
        if self._signature.any_name or self._signature.any_position:
            raise TypeError("calling expand_kwargs() on task group function with * or ** is not supported")
        return self._mapped(expand_input, [name for name in self._signature.by_name if name not in self.fixed])

    def _mapped(self, expand_input: ExpandInput, names: Any) -> Any:
        ensure_xcomarg_return_value(expand_input.value)
        arguments = {**self.fixed, **{name: MappedArgument(expand_input, name) for name in names}}
        return self._make(MappedTaskGroup, {"expand_input": expand_input}, (), arguments)

    def _make(
        self, group_class: type[TaskGroup], own: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        self._called = True
        with group_class(**{"add_suffix_on_collision": True, **self.options, **own}) as group:
            if document := self.function.__doc__:
                group.tooltip = group.tooltip or document
                group.doc_md = group.doc_md or document
            returned = self.function(*args, **kwargs)
        return group if returned is None else returned

    def __repr__(self) -> str:
        """Returns the function's name."""
        return f"<@task_group {self.__name__}>"


def task_group(python_callable: Any = None, **tg_kwargs: Any) -> Any:
    """
    Makes a function whose tasks are a group: ``@task_group``, or ``@task_group(group_id="load")``. The options are
    those of TaskGroup; the function's docstring becomes the tooltip.
    """
    if callable(python_callable):
        return TaskGroupFunction(python_callable, tg_kwargs)
    if isinstance(python_callable, str):
        tg_kwargs = {"group_id": python_callable, **tg_kwargs}
    return lambda function: TaskGroupFunction(function, tg_kwargs)
