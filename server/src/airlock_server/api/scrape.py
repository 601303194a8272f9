"""
Answers a scrape: the metrics, and among them what a look at the database shows, which is at most some seconds old.

A database that does not answer costs a scrape two seconds, and says that the server is not ready.
"""

import asyncio
import time
from collections.abc import Callable

from airlock_server.metrics import Metrics
from airlock_server.store import task_instances
from airlock_server.store.engine.database import Engine
from airlock_server.store.errors import Unavailable

#: How long what was found in the database is told again.
FRESH_SECONDS = 5.0
_LOOK_SECONDS = 2.0


class Scrape:
    """``text`` is for the event loop of the server. ``clock`` returns monotonic seconds."""

    def __init__(self, metrics: Metrics, db: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._db = db
        self._clock = clock
        self._looked_at: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def text(self) -> bytes:
        """Returns the metrics in Prometheus' text format."""
        async with self._one_at_a_time:
            if self._looked_at is None or self._clock() - self._looked_at >= FRESH_SECONDS:
                await self._look()
            return await asyncio.to_thread(self._metrics.text)

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                self._metrics.looked(await self._db.aread(task_instances.by_state))
        except (TimeoutError, Unavailable):
            self._metrics.looked(None)
        self._looked_at = self._clock()
