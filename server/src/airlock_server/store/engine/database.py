"""
The database as the rest of the server sees it: five calls, whichever database is behind them.

What a call is given are functions over a connection. A write may run twice (``writer``).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, TypeVar

import sqlalchemy as sa

from airlock_server.store.engine.sqlite import SQLite
from airlock_server.store.errors import UnsupportedDatabase

T = TypeVar("T")


class Engine(Protocol):
    """An open database, its schema current. Calls may come from any thread, except ``point``."""

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a write transaction and returns its result after the commit. Blocks."""

    async def awrite(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop."""

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a read transaction: one snapshot. Blocks."""

    async def aread(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""

    def point(self, work: Callable[[sa.Connection], T]) -> T:
        """Reads a row by its key, in the thread of the event loop: always the same one, and only for short reads."""

    def close(self) -> None:
        """Does the waiting writes and closes every connection."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_engine(url: str) -> Engine:
    """Opens the database at ``sqlite:///path``; makes and migrates it if needed. Raises StoreError."""
    return SQLite(path_of(url))


def path_of(url: str) -> Path:
    """Returns the file of the database at ``sqlite:///path``. Raises UnsupportedDatabase."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as e:
        raise UnsupportedDatabase("[database] url is not a database URL; write sqlite:////absolute/path") from e
    if parsed.get_backend_name() != "sqlite":
        raise UnsupportedDatabase(
            f"[database] url: {parsed.get_backend_name()} is not supported yet; write sqlite:////absolute/path"
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise UnsupportedDatabase("[database] url must name a file, without options: sqlite:////absolute/path")
    return Path(parsed.database)
