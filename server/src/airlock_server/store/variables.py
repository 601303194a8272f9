"""Variables: text by key, encrypted at rest."""

import sqlalchemy as sa

from airlock_server.keys.encryption import Encryption
from airlock_server.store import grants
from airlock_server.store.engine import upsert
from airlock_server.store.schema import variable

#: Built once: building the statement at each call costs more than the read.
_ONE = sa.select(variable.c.value).where(variable.c.key == sa.bindparam("key"))


def get(conn: sa.Connection, encryption: Encryption, key: str) -> tuple[bool, str | None]:
    """Tells whether the variable exists, and returns its value, which may be None."""
    row = conn.execute(_ONE, {"key": key}).one_or_none()
    if row is None:
        return False, None
    return True, None if row.value is None else encryption.decrypt(row.value, _place(key))


def put(conn: sa.Connection, encryption: Encryption, key: str, value: str | None, description: str | None) -> None:
    """Makes or replaces a variable."""
    ciphertext = None if value is None else encryption.encrypt(value, _place(key))
    upsert.upsert(conn, variable, {"key": key}, {"value": ciphertext, "description": description})


def delete(conn: sa.Connection, key: str) -> bool:
    """Removes a variable; returns whether it existed."""
    return conn.execute(sa.delete(variable).where(variable.c.key == key)).rowcount > 0


def keys(
    conn: sa.Connection, prefix: str | None, limit: int, offset: int, granted: list[str] | None = None
) -> tuple[list[str], int]:
    """
    Returns the keys that start with ``prefix``, in order, from ``offset``; and their total number. With ``granted``
    only keys that match one of its patterns.
    """
    query = sa.select(variable.c.key)
    if prefix:
        query = query.where(sa.func.substr(variable.c.key, 1, len(prefix)) == prefix)
    if granted is not None:
        fitting = [key for key in conn.scalars(query.order_by(variable.c.key)) if grants.covers(granted, key)]
        return fitting[offset : offset + limit], len(fitting)
    total = conn.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    return list(conn.scalars(query.order_by(variable.c.key).limit(limit).offset(offset))), total


def _place(key: str) -> str:
    return f"variable/{key}/value"
