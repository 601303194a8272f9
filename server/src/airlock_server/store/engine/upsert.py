"""An INSERT that becomes an UPDATE if the row exists: SQLite and PostgreSQL each have a statement for it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airlock_server.store.errors import UnsupportedDatabase


def upsert(conn: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Makes the row with the primary key ``key``, or sets ``values`` in it; without values it leaves the row alone."""
    if not values:
        insert_missing(conn, table, key, values)
        return
    statement = _insert(conn.dialect.name, table).values(**key, **values)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={name: statement.excluded[name] for name in values}
        )
    )


def insert_missing(conn: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Makes the row with the primary key ``key``, unless it is there."""
    statement = _insert(conn.dialect.name, table).values(**key, **values)
    conn.execute(statement.on_conflict_do_nothing(index_elements=list(key)))


def _insert(dialect: str, table: sa.Table) -> Any:
    # Imported here: a server pays for its own database only.
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    raise UnsupportedDatabase(f"{dialect} has no upsert that is known here")
