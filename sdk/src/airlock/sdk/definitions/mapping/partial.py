"""``Operator.partial(...)``: the fixed arguments of a task that is mapped over others."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airlock.sdk._names import near
from airlock.sdk.bases import options
from airlock.sdk.bases.arguments import known_arguments
from airlock.sdk.bases.defaults import merged_defaults
from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.mapping.expansion import (
    DictOfListsExpandInput,
    ExpandInput,
    checked_kwargs_list,
    ensure_xcomarg_return_value,
    is_mappable,
    prevent_duplicates,
)
from airlock.sdk.definitions.mapping.mappedoperator import MappedOperator

if TYPE_CHECKING:
    from airlock.sdk.bases.operator import BaseOperator
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup


def partial(
    operator_class: "type[BaseOperator]",
    *,
    task_id: str,
    dag: "DAG | None" = None,
    task_group: "TaskGroup | None" = None,
    params: Any = None,
    default_args: Any = None,
    **kwargs: Any,
) -> "OperatorPartial":
    """Returns the fixed part of a mapped task; call ``.expand()`` or ``.expand_kwargs()`` on it."""
    dag = dag if dag is not None else stack.open_dag()
    group = task_group if task_group is not None else stack.open_group(dag)
    fixed, params = merged_fixed(operator_class, kwargs, dag, group, params, default_args)
    full_id = group.child_id(task_id) if group is not None else task_id
    options.checked_id(full_id, f"{operator_class.__name__}.partial(): task_id")
    return OperatorPartial(operator_class, {**fixed, "task_id": full_id, "dag": dag, "task_group": group}, params)


def merged_fixed(
    operator_class: "type[BaseOperator]",
    kwargs: Mapping[str, Any],
    dag: "DAG | None",
    group: "TaskGroup | None",
    params: Any,
    default_args: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the fixed arguments with the default arguments that the class takes, all converted, and the params."""
    defaults, merged = merged_defaults(dag, group, params, default_args)
    known = known_arguments(operator_class) - {"params", "default_args", "dag", "task_group"}
    fixed = {**{name: value for name, value in defaults.items() if name in known}, **kwargs}
    options.check_types(fixed, f"{operator_class.__name__}.partial()")
    for name, convert in options.CONVERTERS.items():
        if name in fixed:
            fixed[name] = convert(fixed[name], f"{operator_class.__name__}.partial(): {name}")
    if fixed.get("wait_for_downstream"):
        fixed["depends_on_past"] = True
    if fixed.get("pool_slots", 1) < 1:
        raise ValueError("pool slots cannot be less than 1")
    for name in ("start_date", "end_date"):
        if fixed.get(name) is not None:
            fixed[name] = options.utc(fixed[name])
    for name in ("on_execute", "on_failure", "on_success", "on_retry", "on_skipped"):
        if f"{name}_callback" in fixed:
            fixed[f"{name}_callback"] = options.several(fixed[f"{name}_callback"])
    for name in ("inlets", "outlets"):
        if name in fixed:
            fixed[name] = options.assets(fixed[name], f"{operator_class.__name__}.partial(): {name}")
    return fixed, merged


class OperatorPartial:
    """The fixed arguments of a mapped task, before it is known what it is mapped over."""

    def __init__(self, operator_class: "type[BaseOperator]", kwargs: dict[str, Any], params: dict[str, Any]) -> None:
        """Raises TypeError for an argument that the class does not take."""
        self._expanded = True
        check_arguments(operator_class, "partial", kwargs)
        self.operator_class = operator_class
        self.kwargs = kwargs
        self.params = params
        self._expanded = False

    def __repr__(self) -> str:
        """Returns the call."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.kwargs.items())
        return f"{self.operator_class.__name__}.partial({arguments})"

    def __del__(self) -> None:
        """Warns about a task that was never mapped: it is in no DAG."""
        if not self._expanded:
            warnings.warn(f"Task {self.kwargs.get('task_id')!r} was never mapped!", UserWarning, stacklevel=1)

    def expand(self, **mapped_kwargs: Any) -> MappedOperator:
        """Returns the task, mapped over the cross product of lists, dicts or XComs."""
        if not mapped_kwargs:
            raise TypeError("no arguments to expand against")
        check_arguments(self.operator_class, "expand", mapped_kwargs)
        for name, value in mapped_kwargs.items():
            if not is_mappable(value):
                raise ValueError(
                    f"{self.operator_class.__name__}.expand() got an unexpected type {type(value).__name__!r} for "
                    f"keyword argument {name}; give it a list, a dict or the output of a task"
                )
        prevent_duplicates(self.kwargs, mapped_kwargs, fail_reason="unmappable or already specified")
        return self._expand(DictOfListsExpandInput(mapped_kwargs), strict=False)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """Returns the task, mapped over a list of dicts of arguments. ``strict`` refuses one that is fixed, too."""
        return self._expand(checked_kwargs_list(kwargs), strict=strict)

    def _expand(self, expand_input: ExpandInput, *, strict: bool) -> MappedOperator:
        self._expanded = True
        ensure_xcomarg_return_value(expand_input.value)
        fixed = dict(self.kwargs)
        return MappedOperator(
            operator_class=self.operator_class,
            expand_input=expand_input,
            task_id=fixed.pop("task_id"),
            dag=fixed.pop("dag"),
            task_group=fixed.pop("task_group"),
            partial_kwargs=fixed,
            params=self.params,
            refuses_overlap=strict,
        )


def check_arguments(operator_class: "type[BaseOperator]", function: str, arguments: Mapping[str, Any]) -> None:
    """Raises TypeError for an argument that the class does not take."""
    known = known_arguments(operator_class) | {"dag", "task_group"}
    for name in arguments:
        if name not in known:
            raise TypeError(
                f"{operator_class.__name__}.{function}() got an unexpected keyword argument {name!r}; "
                f"{near(name, known)}"
            )
        if function == "expand" and name in ("task_id", "dag", "task_group", "default_args"):
            raise TypeError(f"{operator_class.__name__}.expand() got an unexpected keyword argument {name!r}")
