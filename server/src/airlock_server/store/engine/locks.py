"""
Locks rows, so that nothing comes between a look at them and a write that the look decided.

SQLite has one writer at a time, so a write transaction has the whole database. On PostgreSQL writes run beside one
another, and each statement sees what was committed before it began (docs/adr/0027).
"""

from typing import Any

import sqlalchemy as sa

#: The number of the lock of whoever changes the schema: ``airlock`` in ASCII.
_SCHEMA = int.from_bytes(b"airlock")


def lock(conn: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> None:
    """
    Locks these rows until the transaction ends, in the order of their keys; waits for others that have them. Looks that
    follow see what those others did.
    """
    if conn.dialect.name != "sqlite":
        key: Any = table.primary_key.columns
        conn.execute(sa.select(*key).where(*where).order_by(*key).with_for_update()).all()


def lock_schema(conn: sa.Connection) -> None:
    """Makes this transaction the only one that changes the schema; waits without a limit for another."""
    if conn.dialect.name != "sqlite":
        conn.execute(sa.text("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"))
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SCHEMA})
