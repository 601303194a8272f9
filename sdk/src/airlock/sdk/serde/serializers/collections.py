"""Tuples and sets: a list, in the order of the object."""

from typing import Any, Final

VERSION: Final = 1

_KINDS: Final[dict[str, Any]] = {"builtins.tuple": tuple, "builtins.set": set, "builtins.frozenset": frozenset}


def write(value: Any) -> list[Any]:
    """Returns the items of a tuple or set."""
    return list(value)


def read(classname: str, version: int, data: Any) -> Any:
    """Returns the tuple or set of these items."""
    if version > VERSION:
        raise TypeError(f"{classname} of version {version} is newer than version {VERSION}, which is known here")
    return _KINDS[classname](data)
