"""The hint for a wrong name: the closest known name, or all known names."""

from collections.abc import Iterable

_SHOWN = 10


def near(name: str, choices: Iterable[str]) -> str:
    """`` did you mean 'x'?`` or `` there are: a, b`` or `` none exist``, to follow a message and a semicolon."""
    import difflib  # deferred: only a failing call needs it

    names = sorted(choices)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    if not names:
        return "none exist"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are: {', '.join(names[:_SHOWN])}{more}"
