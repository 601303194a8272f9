"""
Decides whether a server counts as away: the outcomes of regular looks in, since when it has been away out. Pure.

One look that fails is nothing: a server that is replaced by a new version is away for a moment.
"""

from datetime import datetime

from airlock_operator.durations import time_text

#: Looks that fail in a row before the server counts as away.
FAILURES = 3


class Presence:
    """One server. Messages call it ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._since: datetime | None = None

    def answered(self) -> bool:
        """Notes an answer; tells whether the server was away until now."""
        was_away = bool(self.away)
        self._failures, self._since = 0, None
        return was_away

    def failed(self, now: datetime) -> bool:
        """Notes a look that failed; tells whether the server counts as away from now on."""
        was_away = bool(self.away)
        self._failures += 1
        self._since = self._since or now
        return bool(self.away) and not was_away

    @property
    def away(self) -> str:
        """Since when the server is away, in words; empty while it is not."""
        if self._failures < FAILURES or self._since is None:
            return ""
        return f"{self._name} has not answered since {time_text(self._since)}"
