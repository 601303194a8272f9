"""Stores what a task returned: as ``return_value``, and key by key for multiple outputs."""

from collections.abc import Mapping
from typing import Any

from airlock.sdk.definitions.xcom_arg import RETURN_VALUE
from airlock.sdk.exceptions import NotJson, UnmappableXComTypePushed, XComForMappingNotPushed
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_runner.task.upstream import is_mapped_over


def push(task: Any, ti: RunningTaskInstance, value: Any, line: int) -> None:
    """
    Stores the value, if there is one. Raises XComForMappingNotPushed or UnmappableXComTypePushed for a task that others
    are mapped over, and NotJson for a value that cannot be kept.
    """
    if not task.do_xcom_push:
        value = None
    counted = ti.map_index < 0 and is_mapped_over(task)
    if value is None:
        if counted:
            raise XComForMappingNotPushed
        return
    length = None
    if counted:
        from airlock.sdk.definitions.mapping.expansion import is_mappable_value

        if not is_mappable_value(value):
            raise UnmappableXComTypePushed(value)
        length = len(value)
    place = f"task {task.task_id!r} (line {line})"
    if task.multiple_outputs:
        _push_parts(ti, value, place)
    plain = ti.form_of(RETURN_VALUE, value, f"{place}: its return value")
    ti.push_plain(RETURN_VALUE, plain, mapped_length=length, dag_result=task.returns_dag_result)


def _push_parts(ti: RunningTaskInstance, value: Any, place: str) -> None:
    if not isinstance(value, Mapping):
        raise NotJson(
            f"{place} has multiple outputs but returned {type(value).__name__}; return a dict, or set "
            "multiple_outputs=False"
        )
    for key in value:
        if not isinstance(key, str):
            raise NotJson(
                f"{place} has multiple outputs but returned the key {key!r} of type {type(key).__name__}; "
                "JSON keys are str"
            )
    for key, item in value.items():
        ti.push_plain(key, ti.form_of(key, item, f"{place}: its return value {key!r}"))
