"""What user code prints, line by line. Standard library of Python 3.10 only, for children in any image."""

import sys
from contextlib import suppress


def print_by_line() -> None:
    """
    Lines that user code prints leave at once: on a pipe Python would keep them until the end.

    The streams are opened anew, because those that Python made at its start still believe that they are whatever
    the launcher had there, a file that can seek for example.
    """
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush() -> None:
    """What is printed leaves before a process ends by ``os._exit``; a stream that user code broke is passed over."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
