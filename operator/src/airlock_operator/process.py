"""
Runs the operator: watches from the start, and works from when it has the Lease. It ends if it loses the Lease, and the
kubelet starts it again.

One that stands by watches as the leader does, so that it knows everything when it takes over. With ten thousand
TaskRuns it would otherwise list for 20 s first.
"""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airlock_operator.decide.pace import Pace
from airlock_operator.decide.plan import QUIET_SECONDS
from airlock_operator.decide.slots import Limits, Slots
from airlock_operator.kube import errors, handlers, health
from airlock_operator.kube import log as loglines
from airlock_operator.kube.api import Cluster
from airlock_operator.kube.leadership import Leadership
from airlock_operator.metrics import Metrics
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod import sidecar
from airlock_operator.reconciler import Reconciler
from airlock_operator.relist import Relist
from airlock_operator.scrape import Scrape
from airlock_operator.settings import OperatorSettings, Traces, from_environment
from airlock_operator.settings import limits as read_limits
from airlock_operator.traces.tracing import Tracing
from airlock_operator.upstream.client import Addresses, Client
from airlock_operator.workqueue import WorkQueue
from airlock_wire.process import backoff
from airlock_wire.process.settings import SettingsError
from airlock_wire.taskrun import GROUP, PLURAL

if TYPE_CHECKING:
    from airlock_operator.traces.export import Exporter

log = logging.getLogger("airlock.operator")

_WATCH_ENDS_SECONDS = 1.0
#: Between two looks whether the TaskRun resource is installed.
_RESOURCE_SECONDS = 5.0
#: Between two watches of Events.
_HEAR_AGAIN_SECONDS = 2.0

_USAGE = """\
usage: python -m airlock_operator

Turns TaskRuns into pods. It takes no arguments: everything is set by AIRLOCK__SECTION__KEY in the environment
(sections operator, pods, logs), as the chart sets it. Every setting is described in airlock_operator/settings.py.
"""


def main(argv: list[str]) -> int:
    """Runs one operator; returns 0 after SIGTERM, 1 if it lost the Lease or a watcher, 2 for wrong settings."""
    if len(argv) > 1:
        print(_USAGE)  # noqa: T201 - this is what was asked for
        return 0 if argv[1] in ("-h", "--help") else 2
    loglines.install()
    try:
        settings = from_environment(os.environ)
    except SettingsError as e:
        log.error("cannot start", extra={"error": str(e)})  # noqa: TRY400 - the trace would say nothing more
        return 2
    return asyncio.run(Process(settings).run())


class Process:
    """All parts of one operator process."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        operator = settings.operator
        identity = operator.identity or f"{socket.gethostname()}-{os.getpid()}"
        self._metrics = Metrics()
        self._cluster = Cluster(operator.kubeconfig, connections=2 * operator.workers, called=self._metrics.called)
        self._sightings = Sightings()
        self._queue: WorkQueue[Key] = WorkQueue(time.monotonic)
        self._leadership = Leadership(
            self._cluster, operator.namespace, operator.lease, identity, operator.lease_seconds
        )
        self._last_events = handlers.Heard()
        self._unseen: set[Key] = set()
        self._listed_at = 0.0
        self._installed = True
        self._server = Client(upstream_addresses(settings), self._server_changed)
        self._slots = Slots(
            Limits(operator.max_active, operator.max_active_per_namespace, read_limits(operator.max_active_in))
        )
        self._exporter = exporter(settings.traces, identity)
        self._reconciler = Reconciler(
            self._cluster,
            self._sightings,
            self._server,
            settings.pods,
            settings.logs,
            ca_pem=self._ca_pem,
            component="airlock-operator",
            slots=self._slots,
            pace=Pace(operator.pods_per_second),
            wake=self._queue.add_news,
            metrics=self._metrics,
            tracing=Tracing(settings.traces, self._exporter.export if self._exporter is not None else None),
        )
        self._relist = Relist(
            self._cluster,
            self._sightings,
            settings.namespaces,
            due=self._due,
            adopt=self._adopt,
            start_anew=self._reconciler.start_anew,
            metrics=self._metrics,
        )
        self._scrape = Scrape(
            self._metrics, self._sightings, self._queue, self._slots, self._last_events, self._leadership, self._server
        )

    def _ca_pem(self, run: TaskRun) -> str:
        file = sidecar.ca_file(run, self._settings.pods)
        return Path(file).read_text() if file else ""

    async def run(self) -> int:
        """Runs everything, until SIGTERM or a loss."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await self._cluster.open()
        probe = await health.serve(self._settings.operator.health_port, self._health, self._waits_for)
        scrapes = await self._scrape.serve(self._settings.operator.metrics_port)
        try:
            if not await self._first(self._resource, stop):
                return 0
            return await self._watch_and_lead(stop)
        finally:
            probe.close()
            if scrapes is not None:
                scrapes.close()
            await self._cluster.close()
            if self._exporter is not None:
                await self._exporter.close()

    async def _resource(self) -> None:
        """Waits for the TaskRun resource: kopf ends where it is not there, and would be started again ever later."""
        namespace = next(iter(self._settings.namespaces), "")
        while True:
            try:
                self._installed = await self._cluster.knows_taskruns(namespace)
                if self._installed:
                    return
                log.warning("the TaskRun resource is not installed", extra={"resource": f"{PLURAL}.{GROUP}"})
            except errors.KubernetesError as e:
                log.warning("TaskRuns cannot be listed", extra={"error": str(e)})
            await asyncio.sleep(backoff.scattered(_RESOURCE_SECONDS))

    async def _watch_and_lead(self, stop: asyncio.Event) -> int:
        """Watches, and works once it leads; ends when it is told to stop, or when a necessary part has ended."""
        watch_stop = asyncio.Event()
        watching = asyncio.create_task(self._watch(watch_stop), name="watch")
        acquiring = asyncio.create_task(self._leadership.acquire(), name="candidate")
        stopping: asyncio.Task[Any] = asyncio.create_task(stop.wait(), name="stop")
        parts = self._watchers()
        await asyncio.wait({*parts, watching, stopping, acquiring}, return_when=asyncio.FIRST_COMPLETED)
        if self._leadership.held:
            self._take_over()
            parts += self._workers()
            await asyncio.wait({*parts, watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        _report_deaths([*parts, watching, acquiring])
        orderly = stopping.done()
        for part in [*parts, stopping, acquiring]:
            part.cancel()
        # The workers have stopped, so the standby may begin at once.
        if self._leadership.held:
            await self._leadership.release()
        watch_stop.set()
        # On its way out kopf cancels every task of the loop that it does not know, and waits five seconds for them.
        await asyncio.wait([watching], timeout=_WATCH_ENDS_SECONDS)
        return 0 if orderly else 1

    def _take_over(self) -> None:
        """Makes everything due that was seen while another led."""
        self._reconciler.take_over()
        if self._relist.good_at is None:
            # The first list is still under way: its end does the same.
            return
        self._adopt(set(self._sightings.runs))

    async def _watch(self, stop: asyncio.Event) -> None:
        kubeconfig = self._settings.operator.kubeconfig
        if kubeconfig:
            os.environ["KUBECONFIG"] = kubeconfig
        registry = handlers.registry(self._sightings, self._enqueue, self._last_events, kubeconfig)
        await handlers.watch(registry, self._settings.namespaces, asyncio.Event(), stop)

    def _watchers(self) -> list[asyncio.Task[None]]:
        """Starts what every operator does beside the watch; none of it ends by itself while all is well."""
        return [
            asyncio.create_task(self._relist.keep(self._settings.operator.relist_seconds), name="relist"),
            *(asyncio.create_task(self._hear(each), name="events") for each in self._settings.namespaces or [""]),
        ]

    def _workers(self) -> list[asyncio.Task[None]]:
        """Starts what only a leader does; none of it ends by itself while all is well."""
        return [
            asyncio.create_task(self._leadership.keep(), name="lease"),
            asyncio.create_task(self._server.watch(), name="server"),
            *(asyncio.create_task(self._work(), name=f"worker-{n}") for n in range(self._settings.operator.workers)),
        ]

    async def _first(self, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> bool:
        """Tells whether it was done before the process was told to stop."""
        doing = asyncio.ensure_future(act())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        for each in (doing, stopping):
            each.cancel()
        return doing.done() and not doing.cancelled()

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            await self._leadership.until_sure()
            began, outcome = time.monotonic(), "done"
            try:
                again = await self._reconciler.turn(key)
            except errors.Conflict:
                outcome = "conflict"
                self._queue.failed(key)
            except errors.KubernetesError as e:
                outcome = "failed"
                pause = self._queue.failed(key)
                log.warning("turn failed", extra=self._named(key) | {"error": str(e), "pause": round(pause, 1)})
            except Exception:
                # One TaskRun that raises an unexpected error must not stop all others.
                outcome = "broken"
                pause = self._queue.failed(key)
                log.exception("turn broke", extra=self._named(key) | {"pause": round(pause, 1)})
            else:
                self._queue.succeeded(key)
                if again == 0.0:
                    self._queue.add_news(key)
                elif again is not None:
                    self._queue.add(key, again)
            finally:
                self._queue.done(key)
                self._metrics.turned(outcome, time.monotonic() - began)
                self._adopted(key)

    def _named(self, key: Key) -> dict[str, object]:
        """Returns the fields by which a line of the log names a TaskRun."""
        seen = self._sightings.runs.get(key)
        known = {"uid": seen.uid, "attempt": seen.attempt} if seen is not None else {}
        return {"namespace": key.namespace, "taskrun": key.name} | known

    def _adopt(self, keys: set[Key]) -> None:
        """Makes everything due that was listed: all of it is looked at before anything else is taken for known."""
        if not self._leadership.held:
            return
        self._slots.expect(keys)
        self._unseen = set(keys)
        self._listed_at = time.monotonic()
        for key in keys:
            self._queue.add(key)

    def _adopted(self, key: Key) -> None:
        if key in self._unseen:
            self._unseen.discard(key)
            if not self._unseen:
                seconds = round(time.monotonic() - self._listed_at, 3)
                log.info("looked at everything listed", extra={"seconds": seconds})

    async def _hear(self, namespace: str) -> None:
        """Watches what kubelets complain of about pods."""
        while True:
            try:
                async for event in self._cluster.warnings(namespace):
                    self._last_events.note("events")
                    if (key := self._sightings.saw_event(event)) is not None:
                        # Its pod may yet start within the time that is quiet.
                        self._due(key, QUIET_SECONDS)
            except errors.KubernetesError as e:
                log.warning("the watch of Events broke", extra={"error": str(e)})
            await asyncio.sleep(backoff.scattered(_HEAR_AGAIN_SECONDS))

    def _enqueue(self, key: Key, after_seconds: float) -> None:
        if after_seconds > 0:
            self._due(key, after_seconds)
        elif self._leadership.held:
            self._queue.add_news(key)

    def _due(self, key: Key, after_seconds: float = 0.0) -> None:
        """Makes a TaskRun due. While another leads nothing is: all is, once this operator takes over."""
        if self._leadership.held:
            self._queue.add(key, after_seconds)

    def _server_changed(self) -> None:
        """Makes every TaskRun due, because one that runs says whether its server is away."""
        for key, sighting in self._sightings.runs.items():
            if sighting.data is not None:
                self._due(key)

    def _waits_for(self) -> str:
        """Says what this operator waits for before it is ready; empty if it is."""
        good_at = self._relist.good_at
        return health.unready(
            installed=self._installed,
            reached=self._leadership.ready(),
            listed_seconds=None if good_at is None else time.monotonic() - good_at,
            period=self._settings.operator.relist_seconds,
        )

    def _health(self) -> dict[str, object]:
        return {
            "leading": self._leadership.held,
            "queue": len(self._queue),
            "lastEventSeconds": round(time.monotonic() - self._last_events.at, 1),
            "taskruns": len(self._sightings.runs),
            "pods": self._sightings.pod_count,
        }


def _report_deaths(parts: list[asyncio.Task[None]]) -> None:
    for part in parts:
        if part.done() and not part.cancelled() and part.exception() is not None:
            log.error("a part of the operator died", exc_info=part.exception(), extra={"part": part.get_name()})


def exporter(settings: Traces, identity: str) -> "Exporter | None":
    """Returns the exporter of traces, None without an endpoint: then OpenTelemetry's SDK is not loaded."""
    if not settings.endpoint:
        return None
    from airlock_operator.traces.export import Exporter

    return Exporter(settings, identity)


def upstream_addresses(settings: OperatorSettings) -> Addresses:
    """Returns where the servers are, from the settings."""
    pods, operator = settings.pods, settings.operator
    return Addresses(
        api=pods.api_url if operator.watch_servers else "",
        attempts=operator.attempts_url,
        ca_file=pods.ca_file,
        token_file=operator.token_file,
        airflow_api=pods.airflow_api_url if operator.watch_servers else "",
        airflow_ca_file=pods.airflow_ca_file,
    )
