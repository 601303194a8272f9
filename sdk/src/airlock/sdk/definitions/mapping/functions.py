"""Mapping tasks that are functions: ``f.expand(...)`` and ``f.expand_kwargs(...)``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airlock.sdk.bases.decorator import check_mapped_names, get_unique_task_id
from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.mapping.expansion import (
    DictOfListsExpandInput,
    ExpandInput,
    checked_kwargs_list,
    ensure_xcomarg_return_value,
    prevent_duplicates,
)
from airlock.sdk.definitions.mapping.mappedoperator import MappedOperator
from airlock.sdk.definitions.mapping.partial import merged_fixed
from airlock.sdk.definitions.xcom_arg import XComArg

if TYPE_CHECKING:
    from airlock.sdk.bases.decorator import TaskFunction


def expand(function: "TaskFunction", map_kwargs: Mapping[str, Any]) -> XComArg:
    """Returns the task, mapped over the cross product of lists, dicts or XComs."""
    if not map_kwargs:
        raise TypeError("no arguments to expand against")
    if any(isinstance(value, XComArg) for value in map_kwargs.values()):
        refuse_always(function.kwargs.get("trigger_rule"), "expand", "a task")
    check_mapped_names(function._signature, function.__name__, "expand", map_kwargs)  # noqa: SLF001 - one class in two modules
    prevent_duplicates(function.kwargs.get("op_kwargs") or {}, map_kwargs, fail_reason="mapping already partial")
    return _mapped(function, DictOfListsExpandInput(map_kwargs), strict=False)


def expand_kwargs(function: "TaskFunction", kwargs: Any, *, strict: bool) -> XComArg:
    """Returns the task, mapped over a list of dicts of arguments."""
    expand_input = checked_kwargs_list(kwargs)
    if not isinstance(kwargs, XComArg) and any(
        isinstance(value, XComArg) for item in kwargs if isinstance(item, Mapping) for value in item.values()
    ):
        refuse_always(function.kwargs.get("trigger_rule"), "expand_kwargs", "a task")
    return _mapped(function, expand_input, strict=strict)


def refuse_always(trigger_rule: Any, method: str, where: str) -> None:
    """Refuses the trigger rule ``always`` where a task decides how many instances there are."""
    if trigger_rule == TriggerRule.ALWAYS:
        raise ValueError(
            f"Task-generated mapping within {where} using {method!r} is not allowed with trigger rule 'always'."
        )


def _mapped(function: "TaskFunction", expand_input: ExpandInput, *, strict: bool) -> XComArg:
    ensure_xcomarg_return_value(expand_input.value)
    fixed = function._fixed()  # noqa: SLF001 - the same
    dag = fixed.pop("dag", None) or stack.open_dag()
    group = fixed.pop("task_group", None) or stack.open_group(dag)
    fixed, params = merged_fixed(
        function.operator_class, fixed, dag, group, fixed.pop("params", None), fixed.pop("default_args", None)
    )
    task_id = get_unique_task_id(function._task_id(), dag, group)  # noqa: SLF001 - the same
    operator = MappedOperator(
        operator_class=function.operator_class,
        expand_input=expand_input,
        task_id=group.child_id(task_id) if group is not None else task_id,
        partial_kwargs={
            "op_args": (),
            "op_kwargs": {},
            **fixed,
            "python_callable": function.function,
            "multiple_outputs": function.multiple_outputs,
            **({"doc_md": function.function.__doc__} if function.function.__doc__ and "doc_md" not in fixed else {}),
        },
        params=params,
        dag=dag,
        task_group=group,
        refuses_overlap=strict,
        expands_op_kwargs=True,
    )
    function._mark(operator)  # noqa: SLF001 - the same
    return XComArg(operator)
