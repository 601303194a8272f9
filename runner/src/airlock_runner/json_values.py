"""What can be stored as JSON: XComs, parameters, rendered fields."""

import math
from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from airlock.sdk.exceptions import NotJson

_MAX_DEPTH = 200
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1

#: What to write instead, by the name of the type.
_FIXES: Final = {
    "bytes": "decode it to text, or store it and pass its address",
    "bytearray": "decode it to text, or store it and pass its address",
    "set": "make it a list: sorted(...)",
    "frozenset": "make it a list: sorted(...)",
    "datetime": "make it text: .isoformat()",
    "date": "make it text: .isoformat()",
    "timedelta": "make it a number: .total_seconds()",
    "Decimal": "make it text: str(...), or a number: float(...)",
    "UUID": "make it text: str(...)",
    "DataFrame": "store it and pass its address, or make it a list: .to_dict('records')",
    "ndarray": "make it a list: .tolist()",
    "generator": "make it a list: list(...)",
    "coroutine": "tasks are plain functions: run it with asyncio.run(...)",
}


def plain(value: Any, what: str) -> Any:
    """
    Returns the value as plain JSON, copied where needed. An enum, a named tuple or numpy's float becomes the value that
    it stands for.

    ``what`` names the value in the message, and ``$`` stands for the value in a path. Raises NotJson, which names the
    path, the type and the fix.
    """
    return value if _is_plain((value,), 0) else _plain(value, what, "$", 0)


def _plain(value: Any, what: str, path: str, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value, what, path)
    if kind is int:
        return _whole(value, what, path)
    if value is None or kind is bool:
        return value
    if depth > _MAX_DEPTH:
        raise NotJson(f"{what} is nested more than {_MAX_DEPTH} deep, or holds itself; flatten it")
    if isinstance(value, Enum):
        return _plain(value.value, what, path, depth + 1)
    if isinstance(value, float):
        return _finite(float(value), what, path)
    if isinstance(value, dict):
        return _mapping(value, what, path, depth)
    if isinstance(value, list | tuple):
        return [_plain(item, what, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, str | int):
        return _plain(str(value) if isinstance(value, str) else int(value), what, path, depth + 1)
    fix = _FIXES.get(kind.__name__, "convert it to dict, list, str, int, float, bool or None")
    raise NotJson(f"{what} holds a {kind.__name__} at {path}, which is not JSON; {fix}")


def _finite(value: float, what: str, path: str) -> float:
    if not math.isfinite(value):
        raise NotJson(f"{what} holds {value} at {path}, which JSON cannot carry; make it None or text")
    return value


def _mapping(value: dict[Any, Any], what: str, path: str, depth: int) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise NotJson(f"{what} has the key {key!r} of type {type(key).__name__} at {path}; JSON keys are str")
    return {
        _plain(key, what, path, depth + 1): _plain(item, what, f"{path}.{key}", depth + 1)
        for key, item in value.items()
    }


def _is_plain(items: Iterable[Any], depth: int) -> bool:  # noqa: C901 - one flat loop: an XCom can be millions of items
    """Tells whether all of these are plain JSON as they are; False too if only a closer look can tell."""
    if depth > _MAX_DEPTH:
        return False
    for item in items:
        kind = type(item)
        if kind is str:
            if not (item.isascii() or _is_unicode(item)):
                return False
        elif kind is int:
            if not _MIN_INT <= item <= _MAX_INT:
                return False
        elif kind is dict:
            for key in item:
                if type(key) is not str or not (key.isascii() or _is_unicode(key)):
                    return False
            if not _is_plain(item.values(), depth + 1):
                return False
        elif kind is float:
            if not math.isfinite(item):
                return False
        elif kind is list:
            if not _is_plain(item, depth + 1):
                return False
        elif kind is not bool and item is not None:
            return False
    return True


def _text(value: str, what: str, path: str) -> str:
    if not _is_unicode(value):
        raise NotJson(f"{what} holds text at {path} that is not valid Unicode; decode it correctly first")
    return value


def _is_unicode(text: str) -> bool:
    """Tells whether the text can be written as UTF-8: lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole(value: int, what: str, path: str) -> int:
    if not _MIN_INT <= value <= _MAX_INT:
        raise NotJson(f"{what} holds an integer of over 64 bits at {path}; make it text: str(...)")
    return value


def serialized(value: Any, what: str) -> Any:
    """
    Returns the value as plain JSON. What JSON has no form for is put into Airflow's: datetimes, sets, tuples, and all
    else that ``airlock.sdk.serde`` knows. Raises NotJson.
    """
    if _is_plain((value,), 0):
        return value
    from airlock.sdk import serde  # deferred: most values are plain

    try:
        form = serde.serialize(value)
    except (TypeError, ValueError, RecursionError) as e:
        raise NotJson(f"{what} cannot be kept: {e}") from e
    return plain(form, what)


def deserialized(value: Any) -> Any:
    """Returns the author's value for one that was kept as plain JSON."""
    if type(value) is not dict and type(value) is not list:
        return value
    from airlock.sdk import serde  # deferred: most values are plain

    return serde.deserialize(value)
