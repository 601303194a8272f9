"""
The work queue: keys that are due now or later, each worked on by one worker at a time.

A key that is added while it is worked on is worked on again afterwards. A key that is due later can become due sooner,
never later. Failures of a key lengthen its pause, with jitter and a bound; a success resets it. Everything runs in one
event loop, so there is no lock.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from airlock_wire.process import backoff

K = TypeVar("K", bound=Hashable)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
#: News goes before every look that is not late by more than this, so no look waits for ever.
NEWS_LEAD_SECONDS = 30.0


class WorkQueue(Generic[K]):
    """The queue. ``clock`` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[K, float] = {}
        #: Since when a key is due, whatever goes before it.
        self._since: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._working: set[K] = set()
        self._failures: dict[K, int] = {}
        self._order = 0
        #: How often a key was added, and how often one failed.
        self.adds = 0
        self.failures = 0
        self._changed = asyncio.Event()
        #: Held by the one worker that waits for the next key; the others wait for this lock, so an event wakes one
        #: only.
        self._next = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._due) + len(self._working)

    @property
    def working(self) -> int:
        """How many keys are worked on."""
        return len(self._working)

    def waiting(self) -> tuple[int, float]:
        """Returns how many keys are due and not worked on, and for how many seconds the oldest has been due."""
        now = self._clock()
        due = [since for key, since in self._since.items() if since <= now and key not in self._working]
        return len(due), max(0.0, now - min(due)) if due else 0.0

    def add(self, key: K, after_seconds: float = 0.0) -> None:
        """Makes the key due after so many seconds, or keeps an earlier time."""
        since = self._clock() + max(0.0, after_seconds)
        self._add(key, since, since)

    def add_news(self, key: K) -> None:
        """Makes the key due at once, before those that are due only because their time has come."""
        now = self._clock()
        self._add(key, now - NEWS_LEAD_SECONDS, now)

    def _add(self, key: K, due: float, since: float) -> None:
        self.adds += 1
        self._since[key] = min(since, self._since.get(key, since))
        if self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, key))
        self._changed.set()

    def failed(self, key: K) -> float:
        """Makes the key due again after a pause that grows with each failure in a row; returns the pause."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        self.failures += 1
        pause = backoff.pause(count + 1, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self.add(key, pause)
        return pause

    def succeeded(self, key: K) -> None:
        """Forgets the key's failures."""
        self._failures.pop(key, None)

    async def take(self) -> K:
        """Returns the next key that is due and not worked on. ``done`` must follow."""
        async with self._next:
            while (wait := self._next_wait()) is None or wait > 0:
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait)
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            del self._since[key]
            self._working.add(key)
            return key

    def done(self, key: K) -> None:
        """Lets the key be worked on again."""
        self._working.discard(key)
        if key in self._due:
            # The key was added while it was worked on.
            self._order += 1
            heapq.heappush(self._heap, (self._due[key], self._order, key))
        self._changed.set()

    def _next_wait(self) -> float | None:
        """Returns the seconds until the first key is due, None for an empty queue; drops stale entries of the heap."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due or key in self._working:
                heapq.heappop(self._heap)
                continue
            return due - self._clock()
        return None
