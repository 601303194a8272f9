"""
Which user runs user code on this machine, and what that leaves exposed. Said at start, in one line, never hidden.

As root the runner gets a UID of its own where that UID can enter the interpreter's and the DAG's folders. In every
other case user code is the caller, and may read whatever the caller may.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from airlock_wire.pod import RUNNER_UID

AUTO = -1


class Isolation(NamedTuple):
    """``uid`` of the runner, None for the caller's own; ``exposed`` is the line to show, empty where nothing is."""

    uid: int | None
    exposed: str


def decide(*, caller: int, wanted: int, home: Path, barred: Path | None) -> Isolation:
    """
    The pure decision. ``barred`` is the first place that the runner's own UID could not enter, None if it can all.
    """
    uid = RUNNER_UID if wanted == AUTO else wanted
    if caller == 0 and uid != 0 and barred is None:
        return Isolation(uid, "")
    if caller != 0:
        why = "only root can give it a user of its own" if wanted in (AUTO, caller) else f"only root can be user {uid}"
        what = f"the database and keys in {home}, and the files of user {caller}"
    else:
        why = f"user {uid} cannot enter {barred}" if barred is not None else "[local] runner_uid is 0"
        what = f"everything on this machine, the sidecar's token and the database and keys in {home} among it"
    return Isolation(None, f"user code runs as user {caller}, because {why}: it can read {what}")


def choose(wanted: int, home: Path, needed: Iterable[Path]) -> Isolation:
    """The decision on this machine; ``needed`` are the files and folders that a runner has to read."""
    uid = RUNNER_UID if wanted == AUTO else wanted
    caller = os.getuid()
    barred = (
        next((place for path in needed if (place := _barred(path, uid)) is not None), None) if caller == 0 else None
    )
    return decide(caller=caller, wanted=wanted, home=home, barred=barred)


def _barred(path: Path, uid: int) -> Path | None:
    """The first folder on the way to ``path``, links followed, that ``uid`` may not enter, or the path itself."""
    real = path.resolve()
    for folder in reversed(real.parents):
        if not _may(folder, uid, stat.S_IXOTH):
            return folder
    if not _may(real, uid, stat.S_IROTH | (stat.S_IXOTH if real.is_dir() else 0)):
        return real
    return None


def _may(path: Path, uid: int, bits: int) -> bool:
    status = path.stat()
    # The runner has no group but its own, so a file's group never helps; being the owner does.
    have = status.st_mode >> 6 if status.st_uid == uid else status.st_mode
    return have & bits == bits
