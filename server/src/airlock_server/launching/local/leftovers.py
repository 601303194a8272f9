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
from subprocess import Popen

_END_SECONDS = 5.0
_LOOK_SECONDS = 0.01


#: The processes that this one started for launches, of which several may run at a time. Starting one and looking for
#: orphans exclude each other, so that a process is noted here before it could be taken for an orphan.
_started: set[int] = set()
_lock = threading.Lock()


def start(make: Callable[[], Popen[bytes]]) -> Popen[bytes]:
    """Starts a process of a launch and notes it, so that it is not taken for an orphan."""
    with _lock:
        process = make()
        _started.add(process.pid)
        return process


def forget(process: Popen[bytes]) -> None:
    """Forgets a process that has ended and was waited for: an orphan may get its number."""
    with _lock:
        _started.discard(process.pid)


def children() -> set[int]:
    """Returns the living and ended children of this process."""
    pids: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            pids.update(map(int, (task / "children").read_text().split()))
        except FileNotFoundError:
            return _children_by_parent()
    return pids


def orphans(before: set[int]) -> set[int]:
    """
    Returns the children since ``before`` that this process did not start for a launch. It skips children in this
    process's session too: an orphan of a launch is never in it.
    """
    own = os.getsid(0)
    with _lock:
        return {pid for pid in children() - before - _started if _session(pid) not in (own, None)}


def end(before: set[int]) -> int:
    """Ends the orphans since ``before``, and those that appear meanwhile; returns their number."""
    ended_pids = set[int]()
    deadline = time.monotonic() + _END_SECONDS
    while pids := orphans(before):
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
