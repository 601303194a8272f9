"""
Serves the operator's metrics: looks at what is the case now, and answers a Prometheus.

The look takes the loop a moment, even with ten thousand TaskRuns. The text is written in a thread.
"""

import asyncio
import time
from collections import Counter

from airlock_operator.decide.slots import Slots
from airlock_operator.kube.handlers import Heard
from airlock_operator.kube.leadership import Leadership
from airlock_operator.metrics import Metrics, Now
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.upstream.client import Client
from airlock_operator.workqueue import WorkQueue
from airlock_wire.process import scrape


class Scrape:
    """What a scrape looks at. The operator's parts change it; a scrape changes nothing."""

    def __init__(
        self,
        metrics: Metrics,
        sightings: Sightings,
        queue: WorkQueue[Key],
        slots: Slots,
        last_events: Heard,
        leadership: Leadership,
        server: Client,
    ) -> None:
        self._metrics = metrics
        self._sightings = sightings
        self._queue = queue
        self._slots = slots
        self._last_events = last_events
        self._leadership = leadership
        self._server = server
        self._one_at_a_time = asyncio.Lock()

    async def serve(self, port: int, host: str | None = None) -> asyncio.Server | None:
        """Listens for scrapes; does nothing for port 0."""
        return await scrape.serve(port, self.text, host) if port else None

    async def text(self) -> bytes:
        """Returns the metrics in Prometheus' text format."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._metrics.text, self.now())

    def now(self) -> Now:
        """Returns what is the case now. The leader alone counts TaskRuns, so that a sum over all operators is right."""
        slots_held, waiting = self._slots.counts()
        depth, oldest = self._queue.waiting()
        clock, leader = time.monotonic(), self._leadership.held
        servers = (("airlock", False), ("airflow", True)) if leader else ()
        return Now(
            taskruns=Counter((seen.state, seen.reason) for seen in self._sightings.runs.values() if leader),
            slots_held=slots_held,
            slots_waiting=waiting,
            workqueue_depth=depth,
            workqueue_oldest_age_seconds=oldest,
            workqueue_working=self._queue.working,
            workqueue_adds=self._queue.adds,
            workqueue_failures=self._queue.failures,
            watch_age_seconds={name: clock - at for name, at in self._last_events.of.items()} if leader else {},
            leader=leader,
            lease_transitions=self._leadership.transitions,
            server_away={name: bool(self._server.away(airflow=airflow)) for name, airflow in servers},
        )
