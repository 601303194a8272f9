"""An engine that tells an observer how long each operation took."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Self, TypeVar

import sqlalchemy as sa

from airlock_server.observer import Observer
from airlock_server.store.engine.database import Engine
from airlock_server.store.errors import Unavailable

T = TypeVar("T")


class Observed:
    """The ``Engine`` of ``database`` around another one. Closing it closes the other."""

    def __init__(self, engine: Engine, observer: Observer) -> None:
        self._engine = engine
        self._observer = observer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a write transaction and returns its result after the commit. Blocks."""
        with self._told("write"):
            return self._engine.write(work)

    async def awrite(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop."""
        with self._told("write"):
            return await self._engine.awrite(work)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a read transaction. Blocks."""
        with self._told("read"):
            return self._engine.read(work)

    async def aread(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""
        with self._told("read"):
            return await self._engine.aread(work)

    async def point(self, work: Callable[[sa.Connection], T]) -> T:
        """Reads a row by its key, from an event loop."""
        with self._told("point"):
            return await self._engine.point(work)

    def close(self) -> None:
        """Does the waiting writes and closes every connection."""
        self._engine.close()

    @contextmanager
    def _told(self, operation: str) -> Generator[None, None, None]:
        began, failed = time.monotonic(), False
        try:
            yield
        except Unavailable:
            failed = True
            raise
        finally:
            self._observer.database(operation, time.monotonic() - began, failed=failed)
