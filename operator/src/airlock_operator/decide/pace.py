"""Decides how fast pods are made: a bucket of so many a second. Pure over a clock that the caller reads."""


class Pace:
    """At most so many a second, with a second's worth at once; 0 for any number."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second)
        self._credit = self._most
        self._at: float | None = None

    def wait(self, clock: float) -> float:
        """Takes one and returns 0; or returns the seconds until there is one. ``clock`` is in monotonic seconds."""
        if self._per_second <= 0:
            return 0.0
        if self._at is not None:
            self._credit = min(self._most, self._credit + (clock - self._at) * self._per_second)
        self._at = clock
        if self._credit >= 1.0:
            self._credit -= 1.0
            return 0.0
        return (1.0 - self._credit) / self._per_second
