"""
One SQLite database: reads on connections of their own, writes through one thread with group commit.

With WAL, reads go on beside a write. Several processes may open the same database; they take turns with the write lock.
"""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from airlock_server.store.engine import backup
from airlock_server.store.engine.migrate import migrate
from airlock_server.store.engine.writer import Writer
from airlock_server.store.errors import Unavailable
from airlock_wire.process import backoff

T = TypeVar("T")

#: Milliseconds that a transaction waits for another process's write lock.
BUSY_MILLISECONDS = 10_000
#: The size that the write-ahead log is kept at. What is in a longer one is copied into the database.
LOG_BYTES = 4 * 1024 * 1024
#: Reads at once; further ones wait for a place.
READERS = 4


class SQLite:
    """An open SQLite database: the ``Engine`` of ``database``."""

    def __init__(self, path: Path) -> None:
        """Opens the file; makes and migrates it if needed. Raises StoreError."""
        _make_private(path)
        backup.put_back(path)
        # There are two engines over one file: a write that began as a read could fail to get the lock half way.
        self._reads = _engine(path, "BEGIN", READERS)
        self._points = _engine(path, "BEGIN", 1)
        self._writes = _engine(path, "BEGIN IMMEDIATE", 1)
        try:
            migrate(self._writes)
        except sa.exc.DatabaseError as e:
            raise Unavailable(f"{path} cannot be used as the database: {e.orig}") from e
        self._log = path.with_name(f"{path.name}-wal")
        self._writer = Writer(self._writes, self._checkpoint)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a write transaction and returns its result after the commit. Blocks."""
        return self._writer.submit(work)

    async def awrite(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop."""
        return await self._writer.asubmit(work)

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a read transaction: one snapshot. Blocks, but never waits for a writer."""
        try:
            with self._reads.begin() as connection:
                return work(connection)
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as e:
            raise Unavailable(f"the database did not take the read: {e}") from e

    async def aread(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read, work)

    async def point(self, work: Callable[[sa.Connection], T]) -> T:
        """
        Runs a read of a row by its key, on a connection of its own, from the thread of an event loop.

        Passing it to another thread and back would take twice as long as the read (0.3 against 0.15 ms). A read with
        WAL never waits. A second thread would wait for the first.
        """
        try:
            with self._points.begin() as connection:
                return work(connection)
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as e:
            raise Unavailable(f"the database did not take the read: {e}") from e

    def _checkpoint(self) -> None:
        """
        Copies a long log into the database, after the callers of its writes were answered. SQLite itself does it in the
        commit: that was half of the time of a value of 10 MB.
        """
        with contextlib.suppress(OSError, sqlite3.Error):
            # Only asked for its size: a descriptor of the file that is closed would end SQLite's locks on it.
            if os.stat(self._log).st_size <= LOG_BYTES:
                return
            raw = self._writes.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                raw.close()

    def close(self) -> None:
        """Does the waiting writes and closes every connection."""
        self._writer.close()
        self._readers.shutdown()
        self._reads.dispose()
        self._points.dispose()
        self._writes.dispose()


def _make_private(path: Path) -> None:
    """Makes a new database file readable by its owner only, wherever it is; SQLite's side files get the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as e:
        raise Unavailable(f"{path} cannot be used as the database: {e.strerror}") from e


def _to_wal(cursor: Any) -> None:
    """
    Switches the database to a write-ahead log, unless it has one.

    SQLite's busy timeout does not cover this change: of two processes that make the same database together, one is told
    at once that it is locked (seen in one of eight such starts).
    """
    ends = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as e:
            if "locked" not in str(e) or time.monotonic() >= ends:
                raise
            time.sleep(backoff.scattered(0.025, 0.2, 1.0))
        else:
            return


def _engine(path: Path, begin: str, connections: int) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        poolclass=sa.QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_MILLISECONDS / 1000,
        # A failed statement is logged without its values, which may be secret.
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _: Any) -> None:
        # The driver does not begin transactions itself: "begin" below does.
        raw.isolation_level = None
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        _to_wal(cursor)
        # ``SQLite._checkpoint`` does it, and a log that was copied is cut to this size.
        cursor.execute("PRAGMA wal_autocheckpoint = 0")
        cursor.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        # A commit is on the disk before its result is delivered: docs/adr/0004.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # A container's file system is read-only, and a large sort would otherwise need a file.
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
