"""
The processes that a launch left behind. They come to this process, which is their nearest living ancestor that takes
orphans (``airlock_wire.kernel.take_orphans``), whatever sessions they made and however often they forked.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

_END_SECONDS = 5.0
_LOOK_SECONDS = 0.01


def children() -> set[int]:
    """The living and ended children of this process."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:
            return _children_by_parent()
    return found


def end(before: set[int], known: set[int]) -> int:
    """
    Ends the orphans that came since ``before``, and those that come while it does; how many there were.

    ``known`` are children that this process itself started meanwhile. What it started without a session of its own is
    passed over as well: an orphan of a launch never shares this process's session.
    """
    own, ended = os.getsid(0), set[int]()
    deadline = time.monotonic() + _END_SECONDS
    while orphans := {pid for pid in children() - before - known if _session(pid) not in (own, None)}:
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)
        ended |= orphans
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return len(ended)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _children_by_parent() -> set[int]:
    """The same where the kernel does not list children."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.add(int(entry.name))
    return found
