"""
Log lines of the SDK's own operators. `logging` takes 7 ms to import, so a line goes to the runner where there is one.
"""

from collections.abc import Callable

Write = Callable[[str, str, str], None]


class _Installed:
    write: Write | None = None


def install(write: Write | None) -> None:
    """Makes ``write(level, text, logger)`` what lines are handed to; None takes it away."""
    _Installed.write = write


def line(level: str, text: str, logger: str) -> None:
    """Writes one line at ``info``, ``warning`` or ``error``."""
    if _Installed.write is not None:
        _Installed.write(level, text, logger)
        return
    import logging  # deferred: see the module

    getattr(logging.getLogger(logger), level)(text)
