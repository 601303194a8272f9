"""
Group commit: one thread writes, and the writes that wait while it commits go into the next transaction.

A write is a function over a connection. The thread takes all waiting writes, runs them in one transaction and delivers
their results only after the commit. So a result is always durable (docs/adr/0004). If a write raises, its batch is
rolled back and run again with one write a transaction, so that only that write fails. So a write may run twice, and
must have no effect but on its connection.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

from airlock_server.store.errors import DiskFull, Unavailable

T = TypeVar("T")
Write = Callable[[sa.Connection], T]

#: The most writes in one transaction, so that the first does not wait long for the last.
MAX_BATCH = 256
#: The most waiting writes; beyond that the database is too slow, and callers get Unavailable.
MAX_WAITING = 20_000
#: Seconds a blocking caller waits for its commit.
WAIT_SECONDS = 60.0

_Waiter = Future[Any] | asyncio.Future[Any]


class Writer:
    """
    The thread and its queue. ``engine`` begins its transactions with the write lock. ``after`` is called when the
    results of a batch were delivered.
    """

    def __init__(self, engine: sa.Engine, after: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._after = after
        self._queue: queue.SimpleQueue[tuple[Write[Any], _Waiter] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, write: Write[T]) -> T:
        """Runs ``write`` and waits for its commit; raises what it raises, or Unavailable."""
        future: Future[T] = Future()
        self._put(write, future)
        try:
            return future.result(WAIT_SECONDS)
        except TimeoutError as e:
            future.cancel()
            raise Unavailable(f"the database took no write for {WAIT_SECONDS:.0f} s") from e

    async def asubmit(self, write: Write[T]) -> T:
        """Does the same from an event loop."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(write, future)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await future
        except TimeoutError as e:
            raise Unavailable(f"the database took no write for {WAIT_SECONDS:.0f} s") from e

    def close(self) -> None:
        """Does the waiting writes, then ends the thread. Later writes raise Unavailable."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join(WAIT_SECONDS)

    def _put(self, write: Write[Any], waiter: _Waiter) -> None:
        if self._queue.qsize() >= MAX_WAITING:
            raise Unavailable(f"{MAX_WAITING} writes wait for the database already")
        # The lock keeps a write from being added behind the end mark, where it would never run.
        with self._closing:
            if self._closed:
                raise Unavailable("the database is closed")
            self._queue.put((write, waiter))

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            batch: list[tuple[Write[Any], _Waiter]] = []
            while item is not None:
                batch.append(item)
                if len(batch) == MAX_BATCH:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            # A write whose caller gave up before it began must not run.
            batch = [(write, waiter) for write, waiter in batch if not waiter.done()]
            _deliver(self._commit([write for write, _ in batch]), [waiter for _, waiter in batch])
            self._after()
            if item is None:
                return

    def _commit(self, writes: list[Write[Any]]) -> list[tuple[Any, Exception | None]]:
        if not writes:
            return []
        results: list[Any] = []
        try:
            with self._engine.begin() as connection:
                for write in writes:
                    results.append(write(connection))  # noqa: PERF401 - how many succeeded matters below
        except Exception as e:  # noqa: BLE001 - whatever a write raises belongs to its caller, not to this thread
            if len(writes) == 1 or (not results and _is_lock(e)):
                return [(None, _explained(e)) for _ in writes]
            return [outcome for write in writes for outcome in self._commit([write])]
        return [(result, None) for result in results]


def _is_lock(error: Exception) -> bool:
    """
    Tells whether another process held the lock for the whole wait: then waiting again for each write is useless.
    """
    return isinstance(error, sa.exc.OperationalError) and "locked" in str(error.orig)


def _explained(error: Exception) -> Exception:
    if isinstance(error, sa.exc.OperationalError):
        full = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        unavailable = (DiskFull if full else Unavailable)(f"the database did not take the write: {error.orig}")
        unavailable.__cause__ = error
        return unavailable
    return error


def _deliver(outcomes: list[tuple[Any, Exception | None]], waiters: list[_Waiter]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]] = {}
    for (result, error), waiter in zip(outcomes, waiters, strict=True):
        if isinstance(waiter, asyncio.Future):
            loops.setdefault(waiter.get_loop(), []).append((waiter, result, error))
        elif waiter.set_running_or_notify_cancel():
            _settle(waiter, result, error)
    for loop, deliveries in loops.items():
        # One wake-up for each loop and batch. A loop that was closed meanwhile has no callers any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, deliveries)


def _settle_all(deliveries: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for waiter, result, error in deliveries:
        if not waiter.done():
            _settle(waiter, result, error)


def _settle(waiter: _Waiter, result: Any, error: Exception | None) -> None:
    if error is None:
        waiter.set_result(result)
    else:
        waiter.set_exception(error)
