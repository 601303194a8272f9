"""What user code prints, line by line. Standard library of Python 3.10 only, for children in any image."""

import sys
from contextlib import suppress


def print_by_line() -> None:
    """
    Makes each printed line leave at once: on a pipe Python would keep lines until the end.

    The streams are opened anew. Those that Python made at its start still behave like what the launcher had there, for
    example a file that can seek.
    """
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush() -> None:
    """Writes out what is printed, before the process ends by ``os._exit``; skips a stream that user code broke."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
