"""The scalars of numpy, as numbers."""

from typing import Any, Final

VERSION: Final = 1


def write(value: Any) -> int | float | bool:
    """Returns the number; raises TypeError for a complex one, which JSON cannot carry."""
    match value.dtype.kind:
        case "b":
            return bool(value)
        case "i" | "u":
            return int(value)
        case "f":
            return float(value)
    raise TypeError(f"a {type(value).__name__} of numpy is not a number of JSON; return its real and imaginary parts")


def read(classname: str, version: int, data: Any) -> Any:
    """Returns the scalar of a number."""
    if version > VERSION:
        raise TypeError(f"{classname} of version {version} is newer than version {VERSION}, which is known here")
    import numpy as np

    return getattr(np, classname.rpartition(".")[2])(data)
