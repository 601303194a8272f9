"""
Which classes a value may be deserialized to: those that a setting lists, as in Airflow.

``[core] allowed_deserialization_classes`` has patterns with ``*``, and ``allowed_deserialization_classes_regexp`` has
regular expressions for whole names, each a list with blanks between. By default the classes of Airflow and ours.
"""

from typing import Any, Final

from airlock.sdk.basis.settings import setting
from airlock.sdk.serde.form import imported, qualname

_DEFAULT: Final = "airflow.* airlock.*"
#: Classes that this process allowed by itself.
_extra: set[str] = set()


def is_allowed(name: str) -> bool:
    """Tells whether objects of the class of this name may be made."""
    if name in _extra:
        return True
    from fnmatch import fnmatch  # deferred: plain values, and those built in, need no list

    patterns = setting("core", "allowed_deserialization_classes", _DEFAULT).split()
    if any(fnmatch(name, pattern) for pattern in patterns):
        return True
    expressions = setting("core", "allowed_deserialization_classes_regexp", "").split()
    if not expressions:
        return False
    import re  # deferred: few installations have such a list

    # The whole name: `a\.B` must not allow `a.B_of_somebody_else`.
    return any(re.fullmatch(expression, name) for expression in expressions)


def allow_class(cls: type[Any]) -> None:
    """
    Allows a class for this process, whatever the setting says.

    Raises ValueError for a class that its path does not import, for example one that is made inside a function.
    """
    path = qualname(cls)
    if "." in cls.__qualname__:
        raise ValueError(f"{path!r} is nested in a function or class; move it to the top of its module")
    try:
        same = imported(path) is cls
    except ImportError as error:
        raise ValueError(f"{path!r} cannot be imported by its name: {error}") from error
    if not same:
        raise ValueError(f"{path!r} imports another class; give the class the name of the variable that holds it")
    _extra.add(path)
