"""
Decides which users run user code on this machine, and says in one line what that leaves exposed.

As root each launch gets a UID that no other launch has, if that UID can enter the interpreter's and the DAG's folders.
In every other case user code runs as the caller, and may read whatever the caller may.
"""

import os
import pwd
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from airlock_server.launching.local import users
from airlock_wire.pod import RUNNER_UID

AUTO = -1
#: The users of launches, one for each current launch. A number that has a name on this machine is skipped.
LAUNCH_UIDS = range(50200, 50300)

#: The capabilities to give a process another user and to end it: CAP_KILL, CAP_SETGID and CAP_SETUID.
_CAPABILITIES = 1 << 5 | 1 << 6 | 1 << 7
_ALONE = "so that launches at the same time can stop each other"


class Isolation(NamedTuple):
    """
    ``uids`` are the users that a launch may have. It is empty for the caller's own user, has one for all launches, or
    many, of which each launch gets one. ``exposed`` is the line to show, empty if nothing is exposed.
    """

    uids: Sequence[int]
    exposed: str

    @property
    def uid(self) -> int | None:
        """The user of the first launch, None for the caller's own."""
        return self.uids[0] if self.uids else None


class Machine(NamedTuple):
    """
    The facts for the decision. ``barred`` is the first place that a user of its own could not enter, None if it can
    enter all. ``powerless`` says why this process cannot give another user, ``unleased`` why a launch cannot have a
    user of its own.
    """

    caller: int
    free: Sequence[int]
    barred: Path | None = None
    powerless: str = ""
    unleased: str = ""


def decide(machine: Machine, *, runner_uid: int, home: Path) -> Isolation:
    """Returns the decision; pure. ``runner_uid`` is the setting: AUTO, or the user of all launches."""
    uid = machine.free[0] if runner_uid == AUTO else runner_uid
    if machine.caller == 0 and uid != 0 and machine.barred is None and not machine.powerless:
        if runner_uid == AUTO and not machine.unleased:
            return Isolation(machine.free, "")
        shared = RUNNER_UID if runner_uid == AUTO else runner_uid
        why = machine.unleased or "[local] runner_uid says so: leave it out for a user each"
        return Isolation((shared,), f"user code of all launches runs as user {shared}, {_ALONE}, because {why}")
    if machine.caller != 0:
        why = (
            "only root can give it a user of its own"
            if runner_uid in (AUTO, machine.caller)
            else f"only root can be user {uid}"
        )
        exposed = f"the database and keys in {home}, and the files of user {machine.caller}"
    else:
        why = machine.powerless or "[local] runner_uid is 0"
        if machine.barred is not None:
            why = f"user {uid} cannot enter {machine.barred}"
        exposed = f"everything on this machine, the sidecar's token and the database and keys in {home} among it"
    return Isolation((), f"user code runs as user {machine.caller}, {_ALONE}, because {why}: it can read {exposed}")


def choose(runner_uid: int, home: Path, needed: Iterable[Path]) -> Isolation:
    """Returns the decision on this machine; ``needed`` are the files and folders that a runner must read."""
    caller = os.getuid()
    free = [uid for uid in LAUNCH_UIDS if not _known(uid)]
    if caller != 0:
        return decide(Machine(caller, free), runner_uid=runner_uid, home=home)
    uid = free[0] if runner_uid == AUTO else runner_uid
    barred = next((place for path in needed if (place := _barred(path, uid)) is not None), None)
    machine = Machine(caller, free, barred, _powerless(uid), users.unusable())
    return decide(machine, runner_uid=runner_uid, home=home)


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _powerless(uid: int) -> str:
    """Says why this process, which is root, cannot start another as ``uid``; empty if it can."""
    status = Path("/proc/self/status").read_text().splitlines()
    effective = next((int(line.split()[1], 16) for line in status if line.startswith("CapEff")), 0)
    if effective & _CAPABILITIES != _CAPABILITIES:
        return "this container's root may not change its user (it lacks CAP_SETUID, CAP_SETGID or CAP_KILL)"
    spans = (map(int, line.split()) for line in Path("/proc/self/uid_map").read_text().splitlines())
    if not any(first <= uid < first + count for first, _, count in spans):
        return f"user {uid} does not exist in this container's user namespace"
    return ""


def _barred(path: Path, uid: int) -> Path | None:
    """
    Returns the first folder on the way to ``path``, links followed, that ``uid`` may not enter, or the path itself.
    """
    real = path.resolve()
    for folder in reversed(real.parents):
        if not _may(folder, uid, stat.S_IXOTH):
            return folder
    if not _may(real, uid, stat.S_IROTH | (stat.S_IXOTH if real.is_dir() else 0)):
        return real
    return None


def _may(path: Path, uid: int, bits: int) -> bool:
    status = path.stat()
    # The runner is only in its own group, so only a file's owner and other bits matter.
    have = status.st_mode >> 6 if status.st_uid == uid else status.st_mode
    return have & bits == bits
