"""
Looks a variable or a connection up in the backends, one after the other; the first that has it answers.

A backend that fails is logged, without any value and without its error's text, and the next one is asked, as in
Airflow. The store's own failures are not: a database that is busy must not look like a variable that is not there.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from airlock_server.keys.encryption import Undecryptable
from airlock_server.secrets.backend import Backend, BackendFailed, Kind, Variable
from airlock_server.secrets.cache import Cache
from airlock_server.secrets.workers import Workers
from airlock_server.store.connections import Connection

log = logging.getLogger("airlock.secrets")

T = TypeVar("T")

#: Stands for the store in the order of backends.
DATABASE: Literal["database"] = "database"


class Stored(Generic[T]):
    """What the store has: an answer, or an error that is raised only if nobody before the store has an answer."""

    def __init__(self, answer: T | None = None, error: Undecryptable | None = None) -> None:
        self._answer = answer
        self._error = error

    def get(self) -> T | None:
        """Returns the answer, None without one; raises Undecryptable."""
        if self._error is not None:
            raise self._error
        return self._answer


class Secrets:
    """The backends in their order."""

    def __init__(
        self,
        backends: Sequence[Backend | Literal["database"]] = (DATABASE,),
        workers: Workers | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._backends = tuple(backends)
        self._workers = workers or Workers(5.0)
        self._cache = cache or Cache(0, 0)
        self._stores = DATABASE in self._backends
        before = self._backends[: self._backends.index(DATABASE)] if self._stores else self._backends
        self._before = tuple(backend for backend in before if backend != DATABASE)

    def stored(self, read: Callable[[], T | None]) -> Stored[T]:
        """Reads from the store, unless it is not one of the backends."""
        if not self._stores:
            return Stored()
        try:
            return Stored(read())
        except Undecryptable as e:
            return Stored(error=e)

    async def variable(self, key: str, stored: Stored[Variable]) -> Variable | None:
        """Returns a variable; None if no backend has it."""
        answer: Variable | None = await self._find("variable", key, stored)
        return answer

    async def connection(self, conn_id: str, stored: Stored[Connection]) -> Connection | None:
        """Returns a connection; None if no backend has it."""
        answer: Connection | None = await self._find("connection", conn_id, stored)
        return answer

    def note_write(self, kind: Kind, key: str) -> None:
        """Logs a write to the store that no task will see. Returns at once: slow backends are asked in a thread."""
        if not self._stores or any(backend.blocks for backend in self._before):
            self._workers.submit(lambda: self._log_shadow(kind, key))
        elif self._before:
            self._log_shadow(kind, key)

    def shadow(self, kind: Kind, key: str) -> str | None:
        """Returns the name of the first backend before the store that has a name; None without one. Blocks."""
        return self._first_before(kind, key, lambda backend: self._workers.call(partial(_ask, backend, kind, key)))

    def _first_before(self, kind: Kind, key: str, ask: Callable[[Backend], Any]) -> str | None:
        for backend in self._before:
            try:
                if ask(backend) is not None:
                    return backend.name
            except Exception as e:  # noqa: BLE001 - whatever a backend raises
                _log_failure(backend, kind, key, e)
        return None

    async def _find(self, kind: Kind, key: str, stored: Stored[Any]) -> Any:
        for backend in self._backends:
            if backend == DATABASE:
                answer = stored.get()
            else:
                answer = await self._answer(backend, kind, key)
            if answer is not None:
                return answer
        return None

    async def _answer(self, backend: Backend, kind: Kind, key: str) -> Any:
        place = (backend.name, kind, key)
        if backend.remembered:
            remembered, answer = self._cache.get(place)
            if remembered:
                return answer
        try:
            if backend.blocks:
                answer = await self._workers.acall(lambda: _ask(backend, kind, key))
            else:
                answer = _ask(backend, kind, key)
        except Exception as e:  # noqa: BLE001 - whatever a backend raises
            _log_failure(backend, kind, key, e)
            return None
        if backend.remembered:
            self._cache.put(place, answer)
        return answer

    def _log_shadow(self, kind: Kind, key: str) -> None:
        name = self._first_before(kind, key, lambda backend: _ask(backend, kind, key))
        if name is not None:
            log.warning("written, but shadowed", extra={"kind": kind, "key": key, "backend": name})
        elif not self._stores:
            log.warning("written, but [secrets] backends has no database", extra={"kind": kind, "key": key})


def _ask(backend: Backend, kind: Kind, key: str) -> Any:
    try:
        return backend.variable(key) if kind == "variable" else backend.connection(key)
    except (KeyboardInterrupt, SystemExit, GeneratorExit) as e:
        raise BackendFailed(f"it raised {type(e).__name__}") from None


def _log_failure(backend: Backend, kind: Kind, key: str, error: Exception) -> None:
    why = str(error) if isinstance(error, BackendFailed) else type(error).__name__
    extra = {"backend": backend.name, "kind": kind, "key": key, "error": why}
    log.warning("secrets backend failed", extra=extra)
