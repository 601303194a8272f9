"""Remembers a bounded number of answers for a bounded time. For one thread."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Cache:
    """``seconds`` is how long an answer is remembered; 0: not at all. Beyond ``entries`` the oldest is forgotten."""

    def __init__(self, seconds: float, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._most = entries
        self._clock = clock
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def get(self, key: Hashable) -> tuple[bool, Any]:
        """Tells whether there is an answer, and returns it, which may be None."""
        until, answer = self._answers.get(key, (0.0, None))
        if key not in self._answers:
            return False, None
        if until <= self._clock():
            del self._answers[key]
            return False, None
        return True, answer

    def put(self, key: Hashable, answer: Any) -> None:
        """Remembers an answer."""
        if self._seconds <= 0:
            return
        self._answers.pop(key, None)
        self._answers[key] = self._clock() + self._seconds, answer
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
