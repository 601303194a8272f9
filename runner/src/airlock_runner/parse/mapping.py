"""Writes what a task or group is mapped over as plain data: what a server needs to count its instances."""

from typing import Any

from airlock.sdk.basis.notset import NOTSET
from airlock.sdk.definitions.mapping.expansion import DictOfListsExpandInput, ExpandInput, MappedArgument
from airlock.sdk.definitions.xcom_arg import ConcatXComArg, MapXComArg, PlainXComArg, ZipXComArg
from airlock_wire.dags.mapping import (
    Argument,
    ConcatSource,
    Expansion,
    Literally,
    MapSource,
    Source,
    XComSource,
    ZipSource,
)


def expansion_of(expand_input: ExpandInput) -> Expansion:
    """Returns the expansion as plain data."""
    if isinstance(expand_input, DictOfListsExpandInput):
        arguments = [Argument(name=name, source=_source(value)) for name, value in expand_input.value.items()]
        return Expansion(arguments=arguments)
    return Expansion(kind="kwargs", arguments=[Argument(name="kwargs", source=_source(expand_input.value))])


def _source(value: Any) -> Source:
    if isinstance(value, PlainXComArg):
        return XComSource(task_id=value.operator.task_id, key=value.key)
    if isinstance(value, MapXComArg):
        return MapSource(source=_source(value.arg))
    if isinstance(value, ZipXComArg):
        return ZipSource(sources=[_source(arg) for arg in value.args], longest=value.fillvalue is not NOTSET)
    if isinstance(value, ConcatXComArg):
        return ConcatSource(sources=[_source(arg) for arg in value.args])
    if isinstance(value, MappedArgument):
        raise ValueError("a task cannot be mapped over the argument of its group; map the group over the whole list")
    return Literally(length=len(value))
