"""
The database as the rest of the server sees it: five calls, whichever database is behind them.

What a call is given are functions over a connection. A write may run twice (``writer``).
"""

from collections.abc import Callable
from typing import Protocol, Self, TypeVar

import sqlalchemy as sa

from airlock_server.settings import DatabaseSettings
from airlock_server.store.engine import urls
from airlock_server.store.engine.sqlite import SQLite

T = TypeVar("T")

_DEFAULTS = DatabaseSettings()


class Engine(Protocol):
    """An open database, its schema current. Calls may come from any thread, but for ``point``."""

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a write transaction and returns its result after the commit. Blocks."""

    async def awrite(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop."""

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Runs ``work`` in a read transaction: one snapshot. Blocks."""

    async def aread(self, work: Callable[[sa.Connection], T]) -> T:
        """Does the same from an event loop, which goes on meanwhile."""

    async def point(self, work: Callable[[sa.Connection], T]) -> T:
        """Reads a row by its key, from an event loop: always the same one. SQLite reads in the loop's own thread."""

    def close(self) -> None:
        """Does the waiting writes and closes every connection."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_engine(url: str, settings: DatabaseSettings = _DEFAULTS) -> Engine:
    """
    Opens the database at ``sqlite:///path`` or ``postgresql://``; makes its tables and migrates it if needed. Raises
    StoreError. ``settings`` are for PostgreSQL.
    """
    parsed = urls.parse(url)
    if parsed.get_backend_name() == "sqlite":
        return SQLite(urls.path_of(parsed))
    # Imported here: a server pays for its own database only.
    from airlock_server.store.engine.postgresql import PostgreSQL

    return PostgreSQL(parsed, settings)
