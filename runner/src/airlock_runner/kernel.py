"""
What the launcher asks of the kernel: to be hidden, to take its child with it, and whether memory ran out.

Standard library only, like the launcher.
"""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4

#: Where the kernel counts processes of this container that it killed for memory, in cgroup v2 and v1.
_OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def hide() -> None:
    """Makes this process non-dumpable: one of the same user can then not trace it or read its memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def end_with(parent: int) -> None:
    """Has the kernel kill this process when ``parent`` ends, also when it ended before the call."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def oom_kills() -> int:
    """How many processes of this container the kernel has killed for memory; 0 where nothing counts them."""
    for path in _OOM_COUNTERS:
        try:
            with open(path) as counters:
                words = [line.split() for line in counters]
        except OSError:
            continue
        return sum(int(word[1]) for word in words if len(word) == 2 and word[0] == "oom_kill")
    return 0
