"""
Follows the TaskRuns of a namespace: a list, then a watch from its version, and the list again after a while.

A watch that breaks, is too old or says nothing for long is begun anew with a list. So a change can come late, but
cannot be missed.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.launch.observed import Observed
from airlock_wire.process import backoff

log = logging.getLogger(__name__)

#: An API server sends a bookmark about every minute, so such a silence means a dead connection.
_QUIET_SECONDS = 150.0
_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 30.0
#: How many failures in a row are not worth a line: a list that follows at once costs nothing.
_SILENT_FAILURES = 1


class Watching:
    """
    Follows one namespace. ``changed`` is told each TaskRun, and whether it is deleted; ``listed`` the names of all of
    them after each list, and when the list was begun.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        selector: str,
        *,
        relist_seconds: float,
        changed: Callable[[Observed, bool], None],
        listed: Callable[[str, set[str], float], None],
    ) -> None:
        self._cluster, self._namespace, self._selector = cluster, namespace, selector
        self._relist_seconds = relist_seconds
        self._changed, self._listed = changed, listed
        self._failures = 0

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            try:
                version = await self._list()
                await self._watch(version)
            except errors.KubernetesError as e:
                self._failures += 1
                if self._failures > _SILENT_FAILURES:
                    log.warning("the TaskRuns of namespace %s cannot be followed: %s", self._namespace, e)
                await asyncio.sleep(backoff.pause(self._failures, _FIRST_SECONDS, _LONGEST_SECONDS))

    async def _list(self) -> str:
        names: set[str] = set()
        began_at = time.monotonic()
        version = ""
        async for page, page_version in self._cluster.pages(self._namespace, self._selector):
            version = page_version
            for taskrun in page:
                names.add(taskrun.metadata.name)
                self._changed(taskrun, False)  # noqa: FBT003 - a callback
        self._listed(self._namespace, names, began_at)
        return version

    async def _watch(self, version: str) -> None:
        quiet = min(_QUIET_SECONDS, self._relist_seconds + 30)
        changes = self._cluster.watch(
            self._namespace, self._selector, version, seconds=self._relist_seconds, quiet_seconds=quiet
        )
        async for change in changes:
            # A watch that tells something works; a list alone does not prove it.
            self._failures = 0
            if change.kind != "BOOKMARK":
                self._changed(change.taskrun, change.kind == "DELETED")
