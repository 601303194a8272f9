"""
The executor's own thread: an event loop that makes launches, follows their TaskRuns, and renews their tokens.

The scheduler's thread hands launches in and takes results out, and never waits. How much there is between them is
bounded by the executor's slots: a launch has one end, and a note only when its reason changes.
"""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from airlock_executor.kube import errors
from airlock_executor.kube.api import Cluster
from airlock_executor.launch import identity, outcomes, tokens
from airlock_executor.launch.following import Launch, Note, follow
from airlock_executor.launch.observed import Observed
from airlock_executor.launch.outcomes import End, Outcome
from airlock_executor.launching import Launching
from airlock_executor.recovery import Recovery, Result, Ways
from airlock_executor.settings import Settings, seconds
from airlock_executor.watching import Watching
from airlock_wire.process import backoff

log = logging.getLogger(__name__)
T = TypeVar("T")

#: How often the tokens are looked at: often against the life of the shortest one.
_RENEWAL_SECONDS = 5.0
_START_SECONDS = 30.0


class Background:
    """The thread. ``results`` is read by the scheduler's."""

    def __init__(self, settings: Settings, ways: Ways) -> None:
        self._settings, self._ways = settings, ways
        self.results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._launches: dict[tuple[str, str], Launch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        #: Why the thread ended, if it did not end on demand.
        self.failure: BaseException | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="airlock-executor", daemon=True)
        self._cluster = Cluster(
            settings.kubeconfig,
            settings.context,
            seconds=settings.request_seconds,
            connections=settings.create_concurrency + 2 * len(settings.namespaces) + 4,
        )

    # --- the scheduler's thread ---

    def start(self) -> None:
        """Starts the thread; raises errors.KubernetesError if there are no credentials for a cluster."""
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise errors.Busy(0, f"the executor's thread did not start in {_START_SECONDS:g} s")
        if self.failure is not None:
            raise self.failure

    def submit(self, launch: Launch) -> None:
        """Launches it, and follows it to its end."""
        self._loop.call_soon_threadsafe(self._begin, launch)

    def adopt(self, launch: Launch, taskrun: Observed | None) -> None:
        """Follows a launch that another process made, from what its TaskRun shows."""
        self._loop.call_soon_threadsafe(self._adopted, launch, taskrun)

    def cancel(self, place: tuple[str, str]) -> None:
        """Stops a launch for good; nothing more is told of it."""
        self._loop.call_soon_threadsafe(self._cancelled, place)

    def call(self, work: Callable[[Cluster], Coroutine[Any, Any, T]], timeout_seconds: float) -> T:
        """Returns what a coroutine does with the cluster; raises errors.KubernetesError, also if it takes too long."""
        future = asyncio.run_coroutine_threadsafe(work(self._cluster), self._loop)
        try:
            return future.result(timeout_seconds)
        except TimeoutError as e:
            future.cancel()
            raise errors.Busy(0, f"the Kubernetes API did not answer in {timeout_seconds:g} s") from e

    def stop(self, timeout_seconds: float) -> None:
        """Ends the thread. TaskRuns go on; the next scheduler adopts them."""
        if self._thread.is_alive() and self._stop is not None:
            # It may be ending by itself just now.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout_seconds)

    # --- the thread itself ---

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._work())
        except BaseException as e:  # noqa: BLE001 - the scheduler's thread is told
            self.failure = e
        finally:
            self._started.set()
            self._loop.close()

    async def _work(self) -> None:
        self._stop = asyncio.Event()
        self._launching = Launching(
            self._cluster,
            mint=self._ways.mint,
            note=self._told,
            token_seconds=self._settings.token_seconds,
            patience_seconds=seconds(self._settings.pending_timeout),
            concurrency=self._settings.create_concurrency,
        )
        self._recovery = Recovery(self._launching, self._settings, self._ways)
        await self._cluster.open()
        try:
            for namespace in self._settings.namespaces:
                watching = Watching(
                    self._cluster,
                    namespace,
                    identity.selector(self._settings.name),
                    relist_seconds=self._settings.relist_seconds,
                    changed=self._changed,
                    listed=self._listed,
                )
                self._spawn(watching.run(), essential=True)
            self._spawn(self._renew(), essential=True)
            self._started.set()
            await self._stop.wait()
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._cluster.close()

    def _spawn(self, work: Coroutine[Any, Any, None], *, essential: bool = False) -> None:
        """Runs some work beside the rest. Without what is ``essential`` the thread ends, and the scheduler is told."""

        def done(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            if task.cancelled() or (error := task.exception()) is None:
                return
            log.error("a part of the executor's thread failed", exc_info=error)
            if essential and self._stop is not None:
                self.failure = error
                self._stop.set()

        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(done)

    def _begin(self, launch: Launch) -> None:
        self._launches[launch.place] = launch
        self._spawn(self._launch(launch))

    async def _launch(self, launch: Launch) -> None:
        try:
            outcome = await self._launching.launch(launch)
        except Exception as e:
            log.exception("TaskRun %s/%s was not made", launch.namespace, launch.name)
            outcome = outcomes.refused("Refused", f"its TaskRun could not be made: {type(e).__name__}: {e}")
        if outcome is not None:
            self._ended(launch, outcome)

    def _adopted(self, launch: Launch, taskrun: Observed | None) -> None:
        self._launches[launch.place] = launch
        if taskrun is None:
            launch.ready_at = time.monotonic()
            return
        self._changed(taskrun, False)  # noqa: FBT003 - not deleted
        if launch.place in self._launches and not launch.begun and taskrun.spec.suspend:
            # Its scheduler ended between the TaskRun and letting it go.
            self._spawn(self._launch(launch))
        else:
            launch.ready_at = time.monotonic()

    def _cancelled(self, place: tuple[str, str]) -> None:
        if self._launches.pop(place, None) is not None:
            self._spawn(self._cancel(place))

    async def _cancel(self, place: tuple[str, str]) -> None:
        try:
            await self._cluster.change_spec(*place, {"cancel": True})
        except errors.KubernetesError as e:
            log.warning("TaskRun %s/%s was not cancelled: %s", *place, e)

    # --- what the watch says ---

    def _changed(self, taskrun: Observed, deleted: bool) -> None:  # noqa: FBT001 - a callback
        launch = self._launches.get((taskrun.metadata.namespace, taskrun.metadata.name))
        if launch is None:
            return
        step = follow(launch, taskrun, deleted=deleted)
        if step.note is not None:
            self._told(launch, step.note)
        if step.outcome is not None:
            self._ended(launch, step.outcome)

    def _listed(self, namespace: str, names: set[str], began_at: float) -> None:
        """Ends the launches whose TaskRuns are gone: the event that says so may have been missed."""
        for launch in list(self._launches.values()):
            there = launch.ready_at is not None and launch.ready_at < began_at
            if launch.namespace == namespace and there and launch.name not in names:
                self._ended(launch, outcomes.vanished())

    def _told(self, launch: Launch, note: Note) -> None:
        self.results.put(Result(launch, note=note))

    def _ended(self, launch: Launch, outcome: Outcome) -> None:
        if self._launches.pop(launch.place, None) is None:
            return
        if outcome.end in (End.ANEW, End.SAVE):
            self._spawn(self._recover(launch, outcome))
        else:
            self.results.put(Result(launch, outcome=outcome))

    async def _recover(self, launch: Launch, outcome: Outcome) -> None:
        result = await self._recovery.recover(launch, outcome)
        self.results.put(result)
        if result.successor is not None:
            self._begin(result.successor)

    async def _renew(self) -> None:
        """Renews the tokens that are due, each minute of a launch's wait if need be."""
        while True:
            await asyncio.sleep(backoff.scattered(_RENEWAL_SECONDS))
            now = time.monotonic()
            waiting = [each for each in self._launches.values() if each.ready_at is not None]
            due = [each for each in waiting if tokens.due(each.token, now, begun=each.begun)]
            await asyncio.gather(*(self._launching.renew(launch) for launch in due))
