"""
Threads for calls that may take long. A caller waits for a bounded time only.

They are daemons and of their own: those of ``concurrent.futures`` are joined at the end, so that one call that hangs
would keep the process from ending.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

#: Calls at once; further ones wait, within their time.
THREADS = 16


class Workers:
    """The threads, each started when it is first needed. A call that begins too late is left out."""

    def __init__(self, seconds: float, threads: int = THREADS) -> None:
        self._seconds = seconds
        self._threads = threads
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._idle = threading.Semaphore(0)

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Runs ``work`` in a thread; returns its future."""
        future: Future[T] = Future()
        self._queue.put((future, work))
        if not self._idle.acquire(blocking=False):
            with self._lock:
                if self._started < self._threads:
                    self._started += 1
                    threading.Thread(target=self._run, name="secrets", daemon=True).start()
        return future

    def call(self, work: Callable[[], T]) -> T:
        """Returns what ``work`` returns, or raises what it raises, or TimeoutError. Blocks."""
        future = self.submit(work)
        try:
            return future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise

    async def acall(self, work: Callable[[], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""
        return await asyncio.wait_for(asyncio.wrap_future(self.submit(work)), self._seconds)

    def _run(self) -> None:
        while True:
            future, work = self._queue.get()
            if future.set_running_or_notify_cancel():
                try:
                    result = work()
                except BaseException as e:  # noqa: BLE001 - whatever it raises belongs to the caller
                    future.set_exception(e)
                else:
                    future.set_result(result)
            del future, work
            self._idle.release()
