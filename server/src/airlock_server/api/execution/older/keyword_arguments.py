"""
Writes the keyword arguments of a task that resumes in the form that Airflow's SDK before 1.2 reads.

The newer form is plain JSON, in which an object names its class: ``{"__classname__": ..., "__data__": ...}``. The older
one wraps every map and every object: ``{"__type": ..., "__var": ...}``.
"""

from collections.abc import Callable
from typing import Any

_CLASS, _DATA = "__classname__", "__data__"
_TYPE, _VALUE = "__type", "__var"


class _Unknown(Exception):
    """An object is of a class that has no older form here."""


def in_the_older_form(arguments: Any) -> Any:
    """
    Returns the arguments in the older form; unchanged if they are in it already, or have an object of another class.
    """
    if isinstance(arguments, dict) and _TYPE in arguments:
        return arguments
    try:
        return _older(arguments)
    except (_Unknown, KeyError, TypeError):
        return arguments


def _older(value: Any) -> Any:
    if isinstance(value, list):
        return [_older(each) for each in value]
    if not isinstance(value, dict):
        return value
    if _CLASS in value:
        write = _CLASSES.get(value[_CLASS])
        if write is None:
            raise _Unknown(value[_CLASS])
        return write(value[_DATA])
    return {_VALUE: {name: _older(each) for name, each in value.items()}, _TYPE: "dict"}


def _moment(data: Any) -> Any:
    return {_VALUE: data["timestamp"], _TYPE: "datetime"}


def _several(kind: str) -> Callable[[Any], Any]:
    return lambda data: {_VALUE: [_older(each) for each in data], _TYPE: kind}


_CLASSES: dict[str, Callable[[Any], Any]] = {
    "builtins.tuple": _several("tuple"),
    "builtins.set": _several("set"),
    "datetime.datetime": _moment,
    "pendulum.datetime.DateTime": _moment,
    "datetime.timedelta": lambda data: {_VALUE: data, _TYPE: "timedelta"},
    # The older form has no dates: Airflow writes their text.
    "datetime.date": str,
}
