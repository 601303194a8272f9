"""
The users of launches, which the whole machine shares: a test that looks for processes of any of them waits until no
other test has some.
"""

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def using() -> Iterator[None]:
    """For a test whose processes have such users, and may have them for a while."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """For a test that counts the processes of all of them."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _locked(how: int) -> Iterator[None]:
    with Path(tempfile.gettempdir(), "airlock-launch-users.lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield
