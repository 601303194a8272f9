"""
Deferred task instances of this machine: what one waits for, and who waits for it.

A trigger is the author's or a provider's class, so this process does not load it. Whoever runs triggers gets a class's
path with its arguments, and gives back how the trigger ended.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from airlock_server.installation import Installation
from airlock_server.launching.local.containers import Containers
from airlock_server.launching.local.executor import BUNDLE, CannotLaunch, Executor, log_path
from airlock_server.store import task_instances, tries
from airlock_server.store.engine.types import now
from airlock_wire import workload
from airlock_wire.process import backoff
from airlock_wire.protocol.messages import BundleInfo, StartupDetails
from airlock_wire.protocol.triggers import FAILURE, TIMEOUT, TaskEnd, TriggerRequest, TriggerResult
from airlock_wire.record import Reason, Record

#: How long a trigger that is not done in its time may take to end by itself, before it is stopped.
_AFTER_TIME_SECONDS: Final = 10.0
_RELAUNCH_SECONDS: Final = 0.2
#: The life of a trigger's token if the wait has no limit: a sensor's, by default.
_LONGEST_SECONDS: Final = 7 * 24 * 3600.0


class Deferral(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a task instance waits for: the path of a trigger's class, and the arguments as they were serialized. ``until``
    None: no time limit. ``starts``: no process of the task has run yet, so the task has the arguments. ``file`` is the
    DAG file below the bundle's root.
    """

    ti_id: str
    file: str
    classpath: str
    kwargs: dict[str, Any] = {}
    until: datetime | None = None
    starts: bool = False


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a trigger ended: with an event, a JSON value as it was serialized; with the task's end; or with an error that
    the task is told.
    """

    event: Any = None
    end: TaskEnd | None = None
    error: str | None = None
    traceback: list[str] = []


class Triggers(Protocol):
    """Runs triggers. Several threads may ask at a time."""

    def run(self, deferral: Deferral) -> Fired:
        """Waits until the trigger has fired, has failed, or its time is over."""
        ...

    def stop(self, ti_id: str | None = None) -> None:
        """Ends the wait of one task instance, or every wait; may be called from any thread."""
        ...


class LocalTriggers:
    """Runs each trigger in a process of its own behind a sidecar, with the rights of the task instance that waits."""

    def __init__(self, installation: Installation, executor: Executor) -> None:
        self._installation = installation
        self._executor = executor
        self._running: list[tuple[str, Containers]] = []
        self._lock = threading.Lock()
        self._stopping = False
        self._unwanted: set[str] = set()

    def run(self, deferral: Deferral) -> Fired:
        """
        Waits until the trigger has fired, has failed, or its time is over. One whose process was lost runs again,
        within the budget of launches.
        """
        for _ in range(self._installation.settings.local.infra_budget + 1):
            try:
                record, result = self._launch(deferral)
            except CannotLaunch as e:
                return Fired(error=FAILURE, traceback=[f"CannotLaunch: {e}"])
            if result is not None:
                answer = msgspec.json.decode(result, type=TriggerResult)
                return Fired(event=answer.event, end=answer.end, error=answer.error, traceback=answer.traceback or [])
            if record is not None and record.reason is Reason.TIMED_OUT:
                return Fired(error=TIMEOUT)
            if self._stops(deferral.ti_id) or self._executor.stopping:
                break
            time.sleep(backoff.scattered(_RELAUNCH_SECONDS, 0.5, 1.5))
        message = "it left no record" if record is None else f"{record.reason.value}: {record.message}".rstrip(": ")
        return Fired(error=FAILURE, traceback=[f"the process of trigger {deferral.classpath} was lost: {message}"])

    def stop(self, ti_id: str | None = None) -> None:
        """Stops the trigger of one task instance, or every trigger, in an orderly way. A repetition means nothing."""
        with self._lock:
            running = [each for of, each in self._running if ti_id in (None, of) and not self._stops(of)]
            if ti_id is None:
                self._stopping = True
            else:
                self._unwanted.add(ti_id)
            for containers in running:
                containers.stop()

    def _stops(self, ti_id: str) -> bool:
        return self._stopping or ti_id in self._unwanted

    def _launch(self, deferral: Deferral) -> tuple[Record | None, bytes | None]:
        seconds = None if deferral.until is None else max(0.0, (deferral.until - now()).total_seconds())
        life = _LONGEST_SECONDS if seconds is None else seconds + _AFTER_TIME_SECONDS
        token = self._installation.tokens.mint_execution(deferral.ti_id, at_least_seconds=life)

        @contextmanager
        def stoppable(containers: Containers) -> Iterator[None]:
            entry = (deferral.ti_id, containers)
            with self._lock:
                self._running.append(entry)
                if self._stops(deferral.ti_id):
                    containers.stop()
            try:
                yield
            finally:
                with self._lock:
                    self._running.remove(entry)

        launch = self._executor.launch(self._work(deferral, seconds), token, around=stoppable)
        return launch.record, launch.answer

    def _work(self, deferral: Deferral, seconds: float | None) -> workload.Trigger:
        database, ti_id = self._installation.database, deferral.ti_id
        row = database.read(lambda conn: tries.outcome(conn, ti_id))
        context = database.read(lambda conn: task_instances.run_context(conn, ti_id))
        assert row is not None  # noqa: S101 - it waits
        startup = StartupDetails(
            ti=tries.as_wire(row),
            dag_rel_path=deferral.file,
            bundle_info=BundleInfo(name=BUNDLE),
            start_date=row.start_date or now(),
            ti_context=context | self._installation.settings.state_store.for_runners(),
            sentry_integration="",
        )
        request = TriggerRequest(
            startup=startup,
            classpath=deferral.classpath,
            kwargs=deferral.kwargs,
            starts=deferral.starts,
            timeout_seconds=seconds,
        )
        limit = None if seconds is None else seconds + _AFTER_TIME_SECONDS
        return workload.Trigger(request=request, log_path=f"{log_path(row)}.trigger.1.log", timeout_seconds=limit)
