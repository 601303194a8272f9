"""
Decides which file is parsed when. Pure: the files' states and the time in, an order or a moment out.

A file that changed comes before those that are only due again. A file whose parse could not be started waits longer
each time.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from airlock_server.dag_processor.discovery.walk import Stamp

SortMode = Literal["modified_time", "random_seeded_by_host", "alphabetical"]


class FileKey(NamedTuple):
    """A file by its bundle's name, and its path there."""

    bundle: str
    file: str


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is known of a file. Times are seconds since the epoch. ``changed``: its parse has not begun since it was seen
    first or changed. ``failures`` are parses in a row that could not be started or stored, and ``not_before`` is when
    the next may be tried.
    """

    stamp: Stamp
    changed: bool = True
    running: bool = False
    finished_at: float | None = None
    failures: int = 0
    not_before: float = 0.0
    passes: int = 0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the order. ``passes`` is how often each file is parsed, 0 for without an end."""

    min_interval: float
    mode: SortMode = "modified_time"
    host: str = ""
    passes: int = 0


def due(files: Mapping[FileKey, FileState], now: float, policy: Policy) -> list[FileKey]:
    """Returns the files to parse now, the first one first."""
    chosen = [key for key, state in files.items() if (at := due_at(state, policy)) is not None and at <= now]
    return sorted(chosen, key=lambda key: _rank(key, files[key], policy))


def next_moment(files: Mapping[FileKey, FileState], policy: Policy) -> float | None:
    """Returns when the next file is due; None if none will be."""
    moments = (due_at(state, policy) for state in files.values())
    return min((at for at in moments if at is not None), default=None)


def due_at(state: FileState, policy: Policy) -> float | None:
    """Returns when a file is due: 0 for at once; None while it is being parsed, and after its last pass."""
    if state.running or over(state, policy):
        return None
    if state.failures:
        return state.not_before
    if state.changed or state.finished_at is None:
        return 0.0
    return state.finished_at + policy.min_interval


def over(state: FileState, policy: Policy) -> bool:
    """Tells whether a file was parsed as often as it should be."""
    return policy.passes > 0 and state.passes >= policy.passes


def _rank(key: FileKey, state: FileState, policy: Policy) -> tuple[object, ...]:
    newest_first = -state.stamp.mtime_ns
    if state.changed:
        return (0, newest_first, key)
    if policy.mode == "alphabetical":
        return (1, key.file, key)
    if policy.mode == "random_seeded_by_host":
        text = f"{policy.host}\n{key.bundle}\n{key.file}"
        return (1, hashlib.sha256(text.encode()).hexdigest(), key)
    return (1, newest_first, key)


# --- what happens to a file ---


def listed(files: Mapping[FileKey, FileState], bundle: str, stamps: Mapping[str, Stamp]) -> dict[FileKey, FileState]:
    """Returns the states after a bundle was searched: changed files are marked, files that are gone left out."""
    after = {key: state for key, state in files.items() if key.bundle != bundle}
    for file, stamp in stamps.items():
        key = FileKey(bundle, file)
        before = files.get(key)
        if before is None:
            after[key] = FileState(stamp=stamp)
        elif before.stamp != stamp:
            # A change ends the wait after failures: it may be what cures them.
            after[key] = msgspec.structs.replace(before, stamp=stamp, changed=True, failures=0)
        else:
            after[key] = before
    return after


def began(state: FileState) -> FileState:
    """Returns the state of a file whose parse begins."""
    return msgspec.structs.replace(state, running=True, changed=False)


def finished(state: FileState, now: float) -> FileState:
    """Returns the state of a file whose parse ended, whatever came of it."""
    return msgspec.structs.replace(state, running=False, finished_at=now, failures=0, passes=state.passes + 1)


def failed(state: FileState, now: float, pause: float) -> FileState:
    """Returns the state of a file whose parse could not be made or stored: it is tried again after ``pause``."""
    return msgspec.structs.replace(state, running=False, failures=state.failures + 1, not_before=now + pause)
