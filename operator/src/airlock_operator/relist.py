"""
Looks at everything, whatever the events said: TaskRuns and pods in full at the start, and then what has changed.

A list of metadata is compared with the sightings every minute. It costs a fraction of a full list, and shows what an
event was missed for: a version that differs, and an object that is not there any more.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

from airlock_operator.kube import errors
from airlock_operator.kube.api import Cluster, Metadata
from airlock_operator.metrics import Metrics
from airlock_operator.observe.podfacts import RUN_LABEL
from airlock_operator.observe.sightings import Key, Sightings, key_of
from airlock_wire.process import backoff
from airlock_wire.taskrun import PLURAL

log = logging.getLogger("airlock.operator")

#: After a list has failed.
_FAILED_SECONDS = 5.0
#: How long lists may fail before the operator takes all that it knows of time for void.
_OUTAGE_SECONDS = 30.0


class Relist:
    """
    The lists of one operator. ``due`` puts a TaskRun on the work queue. ``adopt`` puts all TaskRuns of the first list
    there. ``start_anew`` is called after an outage of the API server, in which no
    time-out could be watched.
    """

    def __init__(
        self,
        cluster: Cluster,
        sightings: Sightings,
        namespaces: list[str],
        *,
        due: Callable[[Key], None],
        adopt: Callable[[set[Key]], None],
        start_anew: Callable[[], None],
        metrics: Metrics | None = None,
    ) -> None:
        self._cluster = cluster
        self._sightings = sightings
        self._namespaces = namespaces
        self._due = due
        self._adopt = adopt
        self._start_anew = start_anew
        self._metrics = metrics or Metrics()
        #: When everything was last known to be as listed, in monotonic seconds; None before the first list.
        self.good_at: float | None = None

    async def keep(self, seconds: float) -> None:
        """Lists in full at once, and then about every so many seconds what has changed."""
        await self._until_it_works("everything", self.everything)
        while True:
            await asyncio.sleep(backoff.scattered(seconds, 0.9, 1.1))
            await self._until_it_works("changes", self.changes)

    async def everything(self) -> None:
        """Lists TaskRuns and pods, page by page, and hands the TaskRuns to ``adopt``."""
        began = time.monotonic()
        # Pods come first: a TaskRun made between the two lists has no pod yet.
        async for page in self._cluster.pages(self._namespaces, "pods", RUN_LABEL):
            for body in page:
                self._sightings.saw_pod(body)
            await asyncio.sleep(0)
        keys: set[Key] = set()
        async for page in self._cluster.pages(self._namespaces, PLURAL):
            keys.update(self._sightings.saw_run(body) for body in page)
            await asyncio.sleep(0)
        self._adopt(keys)
        log.info("listed everything", extra={"taskruns": len(keys), "seconds": round(time.monotonic() - began, 3)})

    async def changes(self) -> None:
        """Lists metadata, and reads what is not as it was seen."""
        for namespace in self._namespaces or [""]:
            metadata, version = await self._cluster.versions(namespace, "pods", RUN_LABEL)
            await self._read_pods(metadata)
            self._make_due(self._sightings.lost_before({each.uid for each in metadata}, namespace, version))
            metadata, version = await self._cluster.versions(namespace, PLURAL)
            await self._read_runs(metadata)
            runs = {Key(each.namespace, each.name) for each in metadata}
            self._make_due(self._sightings.forget_before(runs, namespace, version))

    async def _read_pods(self, pods: list[Metadata]) -> None:
        for each in pods:
            key = key_of({"namespace": each.namespace, "labels": each.labels})
            if key is None or self._sightings.knows_pod(key, each.name, each.uid, each.resource_version):
                continue
            self._metrics.missed("pods")
            try:
                self._sightings.saw_pod(await self._cluster.pod(each.namespace, each.name))
            except errors.NotFound:
                self._sightings.lost_pod(key, each.name)
            self._due(key)

    async def _read_runs(self, runs: list[Metadata]) -> None:
        for each in runs:
            key = Key(each.namespace, each.name)
            if self._sightings.knows_run(key, each.uid, each.resource_version):
                continue
            self._metrics.missed(PLURAL)
            try:
                self._sightings.saw_run(await self._cluster.taskrun(each.namespace, each.name))
            except errors.NotFound:
                self._sightings.forget(key)
            self._due(key)

    def _make_due(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._due(key)

    async def _until_it_works(self, kind: str, look: Callable[[], Awaitable[None]]) -> None:
        failing_since: float | None = None
        while True:
            began = time.monotonic()
            try:
                await look()
            except errors.KubernetesError as e:
                self._metrics.relist_failed()
                failing_since = failing_since or time.monotonic()
                log.warning("relist failed", extra={"error": str(e)})
                await asyncio.sleep(backoff.scattered(_FAILED_SECONDS, 0.5, 1.5))
                continue
            self.good_at = time.monotonic()
            self._metrics.relisted(kind, time.monotonic() - began)
            if failing_since is not None and time.monotonic() - failing_since > _OUTAGE_SECONDS:
                self._start_anew()
            return
