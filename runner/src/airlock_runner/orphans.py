"""
The processes that a task left behind, which have become the launcher's own children. Standard library only, like the
launcher.
"""

import contextlib
import os
import signal
import time

#: How long a process has to end by itself, as Python's own resource trackers do.
_SETTLE_SECONDS = 0.1
_END_SECONDS = 1.0
_LOOK_SECONDS = 0.005


def settle() -> None:
    """Collects orphans that end by themselves within a moment; returns at once if this process has no orphans."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (pids := _children()) and time.monotonic() < deadline:
        for pid in pids:
            _collect(pid)
        time.sleep(_LOOK_SECONDS)


def end() -> int:
    """
    Kills and collects every child of this process, and those that become its children meanwhile; returns their number.
    It gives up after a second: whoever started the launcher ends the rest.
    """
    ended_pids: set[int] = set()
    deadline = time.monotonic() + _END_SECONDS
    while (pids := _children()) and time.monotonic() < deadline:
        for pid in pids:
            ended_pids.add(pid)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            _collect(pid)
        time.sleep(_LOOK_SECONDS)
    return len(ended_pids)


def _collect(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)


def _children() -> set[int]:
    pids: set[int] = set()
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children") as children:
                pids.update(map(int, children.read().split()))
    except OSError:
        # This kernel does not list children: they end with the launcher, or with its container.
        return set()
    return pids
