"""
Says in the log when the server goes away, once, and when it is back: from the outcome of every request and heartbeat.
"""

import threading
import time
from collections.abc import Callable

from airlock_sidecar.upstream.retries import SAID_AFTER_TRIES

#: Writes a line of this level into the log.
Say = Callable[[str, str], None]


class Outage:
    """Counts tries without an answer, whoever made them; the server is away after SAID_AFTER_TRIES in a row."""

    def __init__(self, say: Say = lambda _line, _level: None, clock: Callable[[], float] = time.monotonic) -> None:
        self.say = say
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._since = 0.0

    def failed(self, why: str) -> None:
        """Notes that a try had no answer, or one of 500 and over."""
        with self._lock:
            self._since = self._since if self._failures else self._clock()
            self._failures += 1
            went = self._failures == SAID_AFTER_TRIES
        if went:
            self.say(f"the Execution API does not answer ({why}): what needs it waits", "warning")

    def answered(self) -> None:
        """Notes that the server answered."""
        with self._lock:
            away, self._failures = self._failures >= SAID_AFTER_TRIES, 0
            seconds = self._clock() - self._since
        if away:
            self.say(f"the Execution API answers again, after {seconds:.0f} s", "info")
