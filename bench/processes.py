"""What the kernel says about processes: which belong to a launch, what they cost, whether all of them are gone."""

import ctypes
import os
import resource
import threading
import time
from collections.abc import Iterable
from typing import Self

_PR_SET_CHILD_SUBREAPER = 36
_SAMPLE_SECONDS = 0.01


def adopt_orphans() -> None:
    """Makes orphans of our children ours, so that a process that outlives its launch is seen and not lost."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def children(pid: int) -> set[int]:
    """Returns the processes that ``pid``, one of any of its threads, is the parent of."""
    pids: set[int] = set()
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                pids.update(map(int, file.read().split()))
    except (FileNotFoundError, ProcessLookupError):
        pass  # It ended meanwhile.
    return pids


def tree(roots: Iterable[int]) -> set[int]:
    """Returns the roots and all that descends from them."""
    seen_pids: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid not in seen_pids:
            seen_pids.add(pid)
            todo.extend(children(pid))
    return seen_pids


def pss_mb(pid: int) -> float:
    """Proportional set size in MB: private pages, and shared ones divided by their users. 0 for one that is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024 / 1e6
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0.0


def tree_pss_mb(roots: Iterable[int]) -> float:
    """Returns the sum over a process tree."""
    return sum(map(pss_mb, tree(roots)))


def cpu_seconds() -> float:
    """User and system time of all children that have ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class PeakMemory:
    """
    Samples the summed PSS of a launch's processes about every 10 ms while in the ``with``; ``mb`` is the peak.

    Reading smaps_rollup takes time from the launch, so a launch that is watched is not timed. Processes that hide
    (both stacks' do) can be read by root only.
    """

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots = list(roots)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mb = 0.0
        self.samples = 0
        self.trouble: OSError | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.trouble is not None and kind is None:
            raise self.trouble

    def _watch(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.mb = max(self.mb, tree_pss_mb(self._roots))
            except OSError as e:
                self.trouble = e
                return
            self.samples += 1
            self._stop.wait(max(0.0, _SAMPLE_SECONDS - (time.monotonic() - began)))
