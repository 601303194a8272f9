"""The form in which a value that is not JSON travels: Airflow's, a JSON object with the class, its version and data."""

from typing import Any, Final

CLASSNAME: Final = "__classname__"
VERSION: Final = "__version__"
DATA: Final = "__data__"
#: Keys that an author's dict must not have: a reader would take the dict for an object.
RESERVED: Final = frozenset({CLASSNAME, "__id__"})

#: Airflow 2 wrote ``{"__type": ..., "__var": ...}``, with short names for what is built in.
_OLD_TYPE: Final = "__type"
_OLD_DATA: Final = "__var"
_OLD_NAMES: Final = {
    "tuple": "builtins.tuple",
    "set": "builtins.set",
    "frozenset": "builtins.frozenset",
    "timedelta": "datetime.timedelta",
    "datetime": "datetime.datetime",
}


def encode(classname: str, version: int, data: Any) -> dict[str, Any]:
    """Returns an object of a class as a JSON object."""
    return {CLASSNAME: classname, VERSION: version, DATA: data}


def decode(value: dict[str, Any]) -> tuple[str, int, Any]:
    """Returns the class, the version and the data of an object; raises ValueError if they are of wrong types."""
    classname, version = value[CLASSNAME], value[VERSION]
    if not isinstance(classname, str) or not isinstance(version, int):
        raise ValueError(f"cannot decode {value!r:.200}: the class must be text and the version a whole number")
    return classname, version, value.get(DATA)


def is_old(value: dict[str, Any]) -> bool:
    """Tells whether a dict is in the form of Airflow 2."""
    return _OLD_TYPE in value and _OLD_DATA in value


def converted(value: dict[str, Any]) -> dict[str, Any]:
    """Returns an object in the form of Airflow 2 in the present form; any other dict as it is."""
    if not is_old(value):
        return value
    kind, data = value[_OLD_TYPE], value[_OLD_DATA]
    return data if kind == "dict" else encode(_OLD_NAMES.get(kind, kind), 0, data)


def qualname(value: Any) -> str:
    """Returns the path by which a class, a function, or the class of an object is imported."""
    if callable(value) and hasattr(value, "__module__") and hasattr(value, "__name__"):
        return f"{value.__module__}.{value.__name__}"
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def imported(path: str) -> Any:
    """Returns what a dotted path names. Raises ImportError, which says what is missing."""
    from importlib import import_module  # deferred: plain values need no import

    module, _, name = path.rpartition(".")
    if not module:
        raise ImportError(f"{path!r} is not the path of a class: it has no module")
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        raise ImportError(f"module {module!r} has no {name!r}") from None
