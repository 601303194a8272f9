"""
The clock of a launch's time limit, which the sidecar's threads share. ``stopwatch`` says what counts.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from airlock_sidecar.state.stopwatch import Stopwatch

#: How much longer than its limit a launch may take until user code begins: the wait for a processor and the import of
#: the DAG file are in it.
SLOW_START_SECONDS = 300.0
#: How often the clock is looked at while it is not known whose a request's time is.
LOOK_AGAIN_SECONDS = 0.2
#: How many times within a limit the used time is written down: what a killed sidecar forgets is given again.
NOTES = 20
_NOTE_SECONDS = (1.0, 30.0)


class Used(NamedTuple):
    """What a restarted sidecar must know: the seconds used, and whether user code had begun."""

    seconds: float
    begun: bool


class TaskClock:
    """Counts the launch's time. It counts nothing before ``start``, so requests before that cost nothing."""

    def __init__(self, watch: Stopwatch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._watch = watch or Stopwatch()
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def used(self) -> Used:
        """What counts so far."""
        with self._lock:
            return Used(self._watch.spent(self._clock()), self._watch.begun)

    def left(self, limit: float) -> float:
        """
        Returns the seconds after which the clock must be looked at again; 0 if the time is over. It is not over while a
        request waits for its answer: that shows whose the time is.
        """
        with self._lock:
            watch = self._watch
            if watch.ended:
                return _NOTE_SECONDS[1]
            seconds_left = limit + (0.0 if watch.begun else SLOW_START_SECONDS) - watch.spent(self._clock())
            if seconds_left > 0:
                least, most = _NOTE_SECONDS
                return min(seconds_left, LOOK_AGAIN_SECONDS if watch.doubts else min(max(limit / NOTES, least), most))
            return LOOK_AGAIN_SECONDS if watch.waits else 0.0

    def start(self, *, begun: bool = False) -> None:
        """Begins to count: the runner is told to begin. ``begun``: what it does from here on is user code."""
        with self._lock:
            self._watch.start(self._clock())
            if begun:
                self._watch.begin(self._clock())

    def begin(self) -> bool:
        """Notes that user code begins; returns True the first time."""
        with self._lock:
            return self._watch.begin(self._clock())

    def ask(self) -> None:
        """Notes that a request goes to the server."""
        with self._lock:
            self._watch.ask(self._clock())

    def fail(self) -> None:
        """Notes that the request had no answer, and is tried again."""
        with self._lock:
            self._watch.fail(self._clock())

    def answer(self, *, at_fault: bool = False) -> None:
        """Notes that the request is over; ``at_fault`` as in ``Stopwatch.answer``."""
        with self._lock:
            self._watch.answer(self._clock(), at_fault=at_fault)

    def beat(self, *, answered: bool) -> None:
        """Notes that a heartbeat was answered, or that it failed."""
        with self._lock:
            self._watch.beat(self._clock(), answered=answered)

    def end(self) -> None:
        """Ends the count: the task reported its end, or the runner is gone."""
        with self._lock:
            self._watch.end(self._clock())
