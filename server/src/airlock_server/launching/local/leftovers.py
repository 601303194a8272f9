"""
The processes that a launch left behind. They come to this process, which is their nearest living ancestor that takes
orphans (``airlock_wire.process.kernel.take_orphans``), whatever sessions they made and however often they forked.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

_END_SECONDS = 5.0
_LOOK_SECONDS = 0.01


#: The processes that this one started for launches, of which several may run at a time. Starting one and looking for
#: orphans exclude each other, so that a process is noted here before it could be taken for an orphan.
_started: set[int] = set()
_lock = threading.Lock()
#: How many launches are under way, and the children that were there before the first of them.
_live = 0
_before: set[int] = set()


class Numbered(Protocol):
    """A process with its number."""

    pid: int


P = TypeVar("P", bound=Numbered)


def start(make: Callable[[], P]) -> P:
    """Starts a process of a launch and notes it, so that it is not taken for an orphan."""
    with _lock:
        process = make()
        _started.add(process.pid)
        return process


def forget(process: Numbered) -> None:
    """Forgets a process that has ended and was waited for: an orphan may get its number."""
    with _lock:
        _started.discard(process.pid)


def enter() -> set[int]:
    """Notes that a launch begins; returns the children that were there before any of those that are under way."""
    global _live, _before  # noqa: PLW0603 - a process has one set of children
    with _lock:
        if not _live:
            _before = children()
        _live += 1
        return _before


def leave() -> bool:
    """Notes that a launch has ended; tells whether no other is under way."""
    global _live  # noqa: PLW0603
    with _lock:
        _live -= 1
        return not _live


def children() -> set[int]:
    """Returns the living and ended children of this process."""
    pids: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            pids.update(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:
            return _children_by_parent()
    return pids


def orphans(before: set[int], uid: int | None = None) -> set[int]:
    """
    Returns the children since ``before`` that this process did not start for a launch, of one user if it is given. It
    skips children in this process's session too: an orphan of a launch is never in it.
    """
    own = os.getsid(0)
    with _lock:
        pids = {pid for pid in children() - before - _started if _session(pid) not in (own, None)}
    return pids if uid is None else {pid for pid in pids if _user(pid) == uid}


def end(before: set[int], uid: int | None = None) -> int:
    """Ends the orphans of ``orphans``, and those that appear meanwhile; returns their number."""
    ended_pids = set[int]()
    deadline = time.monotonic() + _END_SECONDS
    while pids := orphans(before, uid):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
        ended_pids |= pids
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return len(ended_pids)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _user(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _children_by_parent() -> set[int]:
    """Returns the children of this process on a kernel that does not list them."""
    pids = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    pids.add(int(entry.name))
    return pids
