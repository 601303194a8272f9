"""
The sweeper: looks every half minute which of the TaskRuns that had a token are over or gone, and closes theirs.

It reads the store first and lists TaskRuns afterwards, from the API server itself and not its cache. So a TaskRun that
is not in the list is gone. An incomplete list closes nothing.
"""

import logging
import threading
from functools import partial
from typing import Self

from airlock_server.kube import taskruns
from airlock_server.kube.client import Client
from airlock_server.kube.errors import ClusterError
from airlock_server.launching.taskruns import closing
from airlock_server.observer import NOBODY, Observer
from airlock_server.store import attempts
from airlock_server.store.engine.database import Engine
from airlock_server.store.errors import Unavailable
from airlock_wire.process import backoff
from airlock_wire.taskrun import Status

log = logging.getLogger("airlock.sweeper")


class Sweeper:
    """A thread. ``with Sweeper(...)`` starts it, and ends it after the look that is under way."""

    def __init__(
        self,
        client: Client,
        db: Engine,
        seconds: float,
        namespaces: tuple[str, ...] = (),
        observer: Observer = NOBODY,
    ) -> None:
        self._client = client
        self._db = db
        self._seconds = seconds
        self._namespaces = namespaces
        self._observer = observer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self._seconds)

    def look(self) -> int:
        """
        Looks once; returns how many TaskRuns were closed. Raises ClusterError or Unavailable; what was closed stays so.
        """
        attempts_by_uid = {each.uid: each for each in self._db.read(attempts.watched)}
        if not attempts_by_uid:
            return 0
        over: dict[str, Status | None] = dict.fromkeys(
            uid for uid, each in attempts_by_uid.items() if not self._namespaces or each.namespace in self._namespaces
        )
        for taskrun in taskruns.walk(self._client, self._namespaces):
            if taskrun.metadata.uid in over:
                if taskrun.over:
                    over[taskrun.metadata.uid] = taskrun.status
                else:
                    del over[taskrun.metadata.uid]
        for uid, status in over.items():
            state = self._db.write(partial(closing.close, taskrun_uid=uid, status=status))
            which, why = attempts_by_uid[uid], closing.because(status)
            fields = {"taskrun": f"{which.namespace}/{which.name}", "taskrun_uid": uid, "why": why}
            log.info("closed", extra=fields | {"state": state.value if state is not None else "unchanged"})
        return len(over)

    def _run(self) -> None:
        while True:
            try:
                self._observer.swept(self.look())
            except (ClusterError, Unavailable) as e:
                self._observer.sweep_failed()
                log.warning("cannot look for TaskRuns that are over", extra={"error": str(e)})
            # Scattered, so that servers which were started together do not list together.
            if self._stop.wait(backoff.scattered(self._seconds, 0.8, 1.2)):
                return
