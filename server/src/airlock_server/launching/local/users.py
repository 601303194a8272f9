"""
Gives each launch of this machine a user of its own: each UID has a lock file, held while its launch runs.

All commands share the folder of locks, whatever their homes, so two launches never share a user. The kernel releases a
lock with the process that holds it. The file then still says that its user may have left processes behind. They are
ended before another launch gets that user.
"""

import fcntl
import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

LOCKS = Path("/run/airlock/users")

_DIRTY = b"processes of this user may be left\n"
_SWEEP_SECONDS = 10.0
_SHELL = "/bin/sh"


class NoUserLeft(Exception):
    """Every user of the range has a current launch: wait for one to end."""


def unusable() -> str:
    """
    Makes the folder of locks. Returns why users cannot be locked here, as the end of a sentence; empty if they can.
    """
    try:
        LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = LOCKS.lstat()
    except OSError as e:
        return f"{LOCKS} cannot be made: {e.strerror}"
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        return f"{LOCKS} can be written by others"
    return ""


class Lease:
    """One user, for one launch."""

    def __init__(self, uid: int, lock: int) -> None:
        self.uid = uid
        self._lock = lock

    def give_back(self) -> None:
        """Lets another launch have the user. Call it when no process of this launch is left."""
        os.ftruncate(self._lock, 0)
        os.close(self._lock)


def lease(uids: Sequence[int]) -> Lease:
    """
    Locks the first user that no launch has and ends processes that an earlier launch left; raises NoUserLeft.
    """
    for uid in uids:
        lock = os.open(LOCKS / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        if os.fstat(lock).st_size:
            sweep(uid)
        os.pwrite(lock, _DIRTY, 0)
        return Lease(uid, lock)
    raise NoUserLeft(f"{len(uids)} launches are under way, and each has a user of its own: wait for one to end")


def sweep(uid: int) -> None:
    """
    Ends every process of a user. The kernel signals all of them in one pass that no fork escapes. So this also ends a
    task that forks faster than its processes could be listed.
    """
    subprocess.run(
        [_SHELL, "-c", "kill -9 -1"],
        user=uid,
        group=uid,
        extra_groups=[],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_SWEEP_SECONDS,
        check=False,  # It fails if there was no process to end.
    )
