"""Objects from the JSON that ``writing`` or Airflow wrote. Only classes that may be are imported."""

from collections.abc import Iterable
from typing import Any

from airlock.sdk.serde.allowed import is_allowed
from airlock.sdk.serde.form import CLASSNAME, VERSION, converted, decode, imported, is_old, qualname
from airlock.sdk.serde.kinds import serializer_of
from airlock.sdk.serde.twins import own_path


def deserialize(value: Any, full: bool = True, type_hint: Any = None) -> Any:
    """
    Returns the object of a value that was serialized. Plain JSON is returned as it is, not copied.

    With ``full`` False an object becomes text for people, and no class is imported. ``type_hint`` is the class of a
    dict that does not name its own. Raises ImportError for a class that may not be imported, which names the setting.
    Raises TypeError for data that does not fit its class.
    """
    if type_hint is None and _is_plain((value,)):
        return value
    if isinstance(value, tuple | set | list | frozenset):
        items = [deserialize(each, full) for each in value]
        return tuple(items) if isinstance(value, tuple) else set(items) if isinstance(value, set) else items
    if not isinstance(value, dict):
        return value
    value = converted(value)
    if VERSION not in value or (CLASSNAME not in value and type_hint is None):
        return {str(key): deserialize(each, full) for key, each in value.items()}
    if CLASSNAME in value:
        classname, version, data = decode(value)
    else:
        classname, version, data = qualname(type_hint), 0, value
    if not classname:
        raise TypeError("an object must name its class, and the name is empty")
    return _object(classname, version, data) if full else described(classname, version, data)


def _object(classname: str, version: int, data: Any) -> Any:
    if serializer := serializer_of(classname):
        return serializer.read(classname, version, deserialize(data))
    if not is_allowed(classname):
        raise ImportError(
            f"{classname} is not allowed to be deserialized; add it to allowed_deserialization_classes in the section "
            "core of the configuration"
        )
    kind = imported(own_path(classname))
    if hasattr(kind, "__pydantic_fields__") and not hasattr(kind, "__dataclass_fields__"):
        if version > 1:
            raise TypeError(f"{classname} of version {version} is newer than version 1, which is known here")
        return kind.model_validate(deserialize(data))
    if hasattr(kind, "deserialize"):
        return kind.deserialize(deserialize(data), version)
    if not hasattr(kind, "__attrs_attrs__") and not hasattr(kind, "__dataclass_fields__"):
        raise TypeError(
            f"{classname} cannot be deserialized; give the class a static `deserialize(data, version)`, or make it a "
            "dataclass"
        )
    own_version = getattr(kind, "__version__", 0)
    if version > own_version:
        raise TypeError(f"{classname} of version {version} is newer than version {own_version} of the class here")
    fields = deserialize(data)
    if not isinstance(fields, dict):
        raise TypeError(f"the data of {classname} must be a dict, not {type(fields).__name__}")
    return kind(**fields)


def described(classname: str, version: int, data: Any) -> str:
    """Returns an object as text for people, without its class."""
    if classname in ("builtins.tuple", "builtins.set", "builtins.frozenset"):
        return f"({','.join(str(each) for each in data)})"
    if isinstance(data, dict):
        inner = ",".join(f"{key}={deserialize(each, full=False)}" for key, each in data.items())
    elif isinstance(data, list | tuple | set | frozenset):
        inner = ",".join(str(deserialize(data, full=False)))
    else:
        inner = str(data)
    return f"{classname}@version={version}({inner})"


def _is_plain(items: Iterable[Any]) -> bool:
    """Tells whether all of these are JSON in which no object is."""
    for item in items:
        kind = type(item)
        if kind is str or kind is int or kind is float or kind is bool or item is None:
            continue
        if kind is dict:
            if CLASSNAME in item or is_old(item) or not _is_plain(item.values()):
                return False
        elif kind is not list or not _is_plain(item):
            return False
    return True
