"""What a parameter is that was not given, where None is a value."""

from typing import Any, Final


class ArgNotSet:
    """The kind of ``NOTSET``."""

    def __repr__(self) -> str:
        """Returns its name."""
        return "NOTSET"


NOTSET: Final = ArgNotSet()


def is_arg_set(value: Any) -> bool:
    """Tells whether a parameter was given."""
    return not isinstance(value, ArgNotSet)
