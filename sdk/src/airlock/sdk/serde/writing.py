"""Values as plain JSON: what is JSON already stays as it is, and an object becomes its class, version and data."""

from collections.abc import Iterable
from enum import Enum
from typing import Any

from airlock.sdk.serde.form import CLASSNAME, RESERVED, encode, qualname
from airlock.sdk.serde.kinds import serializer_of
from airlock.sdk.serde.twins import name_on_the_wire

#: Objects nested deeper than this hold themselves.
_MAX_DEPTH = 200


def serialize(value: Any, depth: int = 0) -> Any:
    """
    Returns a value as JSON in Airflow's form. Plain JSON is returned as it is, not copied.

    In this order: what has a serializer of its own; numbers, text and enums; what has a method ``serialize``;
    dataclasses; attrs' classes. Raises TypeError, which names the class and the fix, for anything else. Raises
    AttributeError for a dict with a reserved key, and RecursionError for a value that holds itself.
    """
    # Once, for the whole value: asking at each level would visit what is deep once for each level above it.
    if value is None or type(value) is str or (depth == 0 and _is_plain((value,), 0)):
        return value
    if depth > _MAX_DEPTH:
        raise RecursionError(f"the value is nested more than {_MAX_DEPTH} deep, or holds itself")
    if isinstance(value, list):
        return [serialize(each, depth + 1) for each in value]
    if isinstance(value, dict):
        if reserved := RESERVED & value.keys():
            raise AttributeError(f"a dict must not have the key {min(reserved)!r}, which marks an object; rename it")
        return {str(key): serialize(each, depth + 1) for key, each in value.items()}
    return _object(value, depth)


def _object(value: Any, depth: int) -> Any:
    kind = type(value)
    if hasattr(value, "_asdict") and hasattr(value, "_fields") and hasattr(value, "_field_defaults"):
        # A named tuple is a tuple for its reader, who need not have its class.
        return encode("builtins.tuple", 1, [serialize(each, depth + 1) for each in value])
    if _is_pydantic(value):
        return encode(qualname(value), 1, serialize(value.model_dump(mode="json"), depth + 1))
    path = qualname(value)
    if serializer := serializer_of(path):
        name = "pendulum.tz.timezone.FixedTimezone" if path == "datetime.timezone" else path
        return encode(name, serializer.VERSION, serialize(serializer.write(value), depth + 1))
    if isinstance(value, Enum):
        return serialize(value.value, depth + 1)
    if isinstance(value, str | int | float):
        return value
    version = getattr(kind, "__version__", 0)
    if hasattr(value, "serialize"):
        data = value.serialize()
        return encode(name_on_the_wire(path), version, serialize(data, depth + 1) if isinstance(data, dict) else data)
    if (fields := _fields(value)) is not None:
        return encode(path, version, serialize(fields, depth + 1))
    raise TypeError(
        f"a {kind.__module__}.{kind.__qualname__} cannot be serialized; give its class `serialize(self)` and a static "
        "`deserialize(data, version)`, or make it a dataclass"
    )


def _fields(value: Any) -> dict[str, Any] | None:
    """Returns the fields of a dataclass or of an attrs class; None for an object of any other class."""
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        import dataclasses  # deferred: costs milliseconds, and a dataclass has paid for it

        return dataclasses.asdict(value)
    if (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        return {each.name: getattr(value, each.name) for each in attributes if each.init}
    return None


def _is_pydantic(value: Any) -> bool:
    """Tells whether a value is a pydantic model. A pydantic dataclass is a dataclass."""
    kind = type(value)
    return (
        hasattr(kind, "__pydantic_fields__")
        and hasattr(kind, "__pydantic_validator__")
        and not hasattr(kind, "__dataclass_fields__")
    )


def _is_plain(items: Iterable[Any], depth: int) -> bool:
    """Tells whether all of these are plain JSON, which no reader takes for an object."""
    if depth > _MAX_DEPTH:
        return False
    for item in items:
        kind = type(item)
        if kind is str or kind is int or kind is float or kind is bool or item is None:
            continue
        if kind is dict:
            if not all(type(key) is str for key in item) or CLASSNAME in item or "__id__" in item:
                return False
            if not _is_plain(item.values(), depth + 1):
                return False
        elif kind is not list or not _is_plain(item, depth + 1):
            return False
    return True
