"""
One PostgreSQL database: a pool of connections, as many threads, and a transaction for each call.

Writes run beside one another. Those that decide by a row lock it first (``locks``, docs/adr/0027). A write that meets
another one in a deadlock, or in a row that both make, is rolled back and runs again.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from airlock_server.settings import DatabaseSettings
from airlock_server.store.engine import failures
from airlock_server.store.engine.failures import Failure
from airlock_server.store.engine.migrate import migrate
from airlock_server.store.engine.types import LARGE
from airlock_server.store.errors import Unavailable, UnsupportedDatabase
from airlock_wire.process import backoff

T = TypeVar("T")

OLDEST_VERSION = 15
#: The most calls of event loops that wait or run; beyond that callers get Unavailable.
MAX_WAITING = 20_000
#: Seconds a caller in an event loop waits for its result.
WAIT_SECONDS = 60.0
#: psycopg's number of PostgreSQL's binary form.
_BINARY = 1
#: Executions after which a connection's statement is prepared.
PREPARE_AFTER = 3
#: Seconds between two runs of a transaction that met others: the first pause, and the longest.
_PAUSE, _LONGEST_PAUSE = 0.005, 0.25
#: Parameters of libpq that the URL may set otherwise. A peer that vanished is noticed within seconds.
_LIBPQ = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "application_name": "airlock",
    "client_encoding": "utf8",
}


class PostgreSQL:
    """An open PostgreSQL database: the ``Engine`` of ``database``."""

    def __init__(self, url: sa.URL, settings: DatabaseSettings) -> None:
        """Connects; makes and migrates the tables if needed. Raises StoreError."""
        self._writes = _engine(url, settings)
        # A facet of the same pool: one snapshot for all statements of a read.
        self._reads = self._writes.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        try:
            _check(self._writes)
            migrate(self._writes)
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as e:
            self._writes.dispose()
            raise failures.explained(failures.failure(e), e, "connection") from None
        except BaseException:
            self._writes.dispose()
            raise
        self._threads = ThreadPoolExecutor(settings.pool_size, thread_name_prefix="database")
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a write transaction and returns its result after the commit. Blocks."""
        return self._run(self._writes, work, "write")

    async def awrite(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop."""
        return await self._in_thread(self._writes, work, "write")

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a read transaction: one snapshot. Blocks, but never waits for a writer."""
        return self._run(self._reads, work, "read")

    async def aread(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""
        return await self._in_thread(self._reads, work, "read")

    async def point(self, work: Callable[[sa.Connection], T]) -> T:
        """Reads in a thread: the network may take long, and the loop must go on."""
        return await self.aread(work)

    def close(self) -> None:
        """Does the waiting calls and closes every connection."""
        self._closed = True
        self._threads.shutdown()
        self._writes.dispose()

    async def _in_thread(self, engine: sa.Engine, work: Callable[[sa.Connection], T], what: str) -> T:
        if not self._places.acquire(blocking=False):
            raise Unavailable(f"{MAX_WAITING} calls wait for the database already")
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                # A call whose caller gives up before it began is cancelled, and does not run.
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, engine, work, what)
        except TimeoutError as e:
            raise Unavailable(f"the database took no {what} for {WAIT_SECONDS:.0f} s") from e
        except RuntimeError as e:
            if not self._closed:
                raise
            raise Unavailable("the database is closed") from e
        finally:
            self._places.release()

    def _run(self, engine: sa.Engine, work: Callable[[sa.Connection], T], what: str) -> T:
        if self._closed:
            raise Unavailable("the database is closed")
        return self._work(engine, work, what)

    def _work(self, engine: sa.Engine, work: Callable[[sa.Connection], T], what: str) -> T:
        failed: Counter[Failure] = Counter()
        while True:
            try:
                return _transaction(engine, work)
            except (sa.exc.DBAPIError, sa.exc.TimeoutError) as e:
                kind = failures.failure(e)
                failed[kind] += 1
                if not failures.again(kind, failed[kind]):
                    # Without the driver's error, whose details show the values of the row.
                    raise failures.explained(kind, e, what) from None
            if kind is Failure.COLLISION:
                time.sleep(backoff.scattered(backoff.grown(failed[kind], _PAUSE, _LONGEST_PAUSE), 0.0, 1.0))


def _transaction(engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
    with engine.connect() as connection:
        result = work(connection)
        try:
            connection.commit()
        except sa.exc.DBAPIError as e:
            if e.connection_invalidated:
                # Whether it was committed is not known, so it must not run again here.
                raise Unavailable(f"the connection was lost during a commit: {e.orig}") from e
            raise
    return result


def _check(engine: sa.Engine) -> None:
    """Raises UnsupportedDatabase for a server that is too old, and for an encoding that cannot hold every text."""
    with engine.connect() as connection:
        version = int((connection.dialect.server_version_info or (0,))[0])
        encoding = connection.scalar(sa.text("SHOW server_encoding"))
    if version < OLDEST_VERSION:
        raise UnsupportedDatabase(f"PostgreSQL {version} is too old; Airlock needs {OLDEST_VERSION} or newer")
    if encoding != "UTF8":
        raise UnsupportedDatabase(f"the database's encoding is {encoding}; make one with ENCODING 'UTF8'")


def _engine(url: sa.URL, settings: DatabaseSettings) -> sa.Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg", query={**_LIBPQ, **url.query}),
        poolclass=sa.QueuePool,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.lock_seconds,
        # Connections that are not needed stay at the end of the line, and the busy ones have prepared statements.
        pool_use_lifo=True,
        isolation_level="READ COMMITTED",
        # A failed statement is logged without its values, which may be secret.
        hide_parameters=True,
        connect_args={"prepare_threshold": PREPARE_AFTER},
    )
    limits = {
        "statement_timeout": settings.statement_seconds,
        "lock_timeout": settings.lock_seconds,
        # A transaction whose thread or process hangs must not keep its locks.
        "idle_in_transaction_session_timeout": settings.statement_seconds,
    }

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _: Any) -> None:
        with raw.cursor() as cursor:
            for name, seconds in limits.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, f"{int(seconds * 1000)}ms"))
        raw.commit()

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _before(_: Any, cursor: Any, *call: Any) -> None:
        if call[2].execution_options.get(LARGE):
            # The text form of a result writes a byte as two digits: seven times as long for a value of 10 MB. It cannot
            # be the form of all: SQLAlchemy reads some catalogues as text.
            cursor.format = _BINARY

    return engine
