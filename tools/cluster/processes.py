"""Processes that outlive the command that started them: found again and stopped by recorded id, never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster.commands import CommandError

#: How long a process that was told to end may take.
GRACE_SECONDS = 15.0


@dataclass(frozen=True)
class Recorded:
    """A process. Its id may be given to another one later, the pair with its start time (clock ticks) may not."""

    pid: int
    started: int


def start_time(stat: str) -> int | None:
    """
    Returns the start time in the text of `/proc/<pid>/stat`; None for a process that has ended and is only unreaped.
    """
    # The name, in parentheses, may hold blanks and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def recorded(pid: int) -> Recorded | None:
    """Returns the living process that has this id now."""
    try:
        started = start_time(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if started is None else Recorded(pid, started)


def alive(process: Recorded) -> bool:
    """Tells whether the process still runs."""
    return recorded(process.pid) == process


def children(pid: int) -> list[int]:
    """Returns the ids of the direct children."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def start_child(argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> Recorded:
    """
    Starts a program that forks another and waits for it (`unshare --fork`, `nsenter --pid`), and returns the other.

    ``env`` is the whole environment. Raises CommandError with the log's end when no child comes within 5 s.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        parent = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            start_new_session=True,
            cwd="/",
        )
    until = time.monotonic() + 5
    while parent.poll() is None and time.monotonic() < until:
        for pid in children(parent.pid):
            if child := recorded(pid):
                # The parent lives as long as its child. It is the system's to reap, as this process ends before it.
                parent.returncode = 0
                return child
        time.sleep(0.005)
    raise CommandError(f"{argv[-1]} did not start: {log.read_text(errors='replace')[-1000:]}")


def stop(process: Recorded, grace: float = GRACE_SECONDS) -> None:
    """SIGTERM, and SIGKILL for one that is still there after ``grace`` seconds."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        if not alive(process):
            return
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while alive(process) and time.monotonic() < until:
            time.sleep(0.01)
    if alive(process):
        raise CommandError(f"process {process.pid} does not end")


def kill(process: Recorded) -> None:
    """SIGKILL at once, and waits for the end."""
    if alive(process):
        os.kill(process.pid, signal.SIGKILL)
        stop(process)
