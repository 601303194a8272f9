"""
Protects a process that guards a credential, by prctl. Standard library of Python 3.10 only.

Non-dumpable: a process of the same user can neither trace it nor read its memory, environment or descriptors in /proc.
It also leaves no core file. In a pod that is a second line of defence; on a laptop, where user code may be
the same user, it is the first.
"""

import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38


def _prctl(option: int, value: int) -> None:
    import ctypes  # costs 3 ms, which a pod's runner saves: its launcher is the first process of the container

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def hide() -> None:
    """Makes this process non-dumpable; raises OSError if the kernel refuses, so that no process runs unprotected."""
    _prctl(_PR_SET_DUMPABLE, 0)


def take_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends, so that no descendant escapes it."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def give_up_privileges() -> None:
    """Keeps this process and all it starts from gaining rights by a set-user-id program."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def end_with(parent: int) -> None:
    """
    Has the kernel kill this process when ``parent`` ends, also when it ended before the call. The first process of a
    PID namespace, as the launcher is in its container, takes all others with it without being asked.
    """
    if parent == 1:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
