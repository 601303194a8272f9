"""Connections: how tasks reach other systems; passwords and extras are encrypted at rest."""

import msgspec
import sqlalchemy as sa

from airlock_server.keys.encryption import Encryption
from airlock_server.store.engine import upsert
from airlock_server.store.schema import connection


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection in the clear. ``extra`` is a JSON text, ``schema`` the database's."""

    conn_id: str
    conn_type: str
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: str | None = None
    description: str | None = None


#: Built once: building the statement at each call costs more than the read.
_ONE = sa.select(connection).where(connection.c.conn_id == sa.bindparam("conn_id"))


def get(conn: sa.Connection, encryption: Encryption, conn_id: str) -> Connection | None:
    """Returns the connection with its secrets decrypted; None if it does not exist."""
    row = conn.execute(_ONE, {"conn_id": conn_id}).one_or_none()
    if row is None:
        return None
    fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a map
    for secret in ("password", "extra"):
        if fields[secret] is not None:
            fields[secret] = encryption.decrypt(fields[secret], _place(conn_id, secret))
    return Connection(**fields)


def put(conn: sa.Connection, encryption: Encryption, new: Connection) -> None:
    """Makes or replaces a connection as a whole."""
    fields = msgspec.structs.asdict(new)
    del fields["conn_id"]
    for secret in ("password", "extra"):
        if fields[secret] is not None:
            fields[secret] = encryption.encrypt(fields[secret], _place(new.conn_id, secret))
    upsert.upsert(conn, connection, {"conn_id": new.conn_id}, fields)


def delete(conn: sa.Connection, conn_id: str) -> bool:
    """Removes a connection; returns whether it existed."""
    return conn.execute(sa.delete(connection).where(connection.c.conn_id == conn_id)).rowcount > 0


def ids(conn: sa.Connection) -> list[tuple[str, str]]:
    """Returns every connection's id and type, in order."""
    query = sa.select(connection.c.conn_id, connection.c.conn_type).order_by(connection.c.conn_id)
    return [(row.conn_id, row.conn_type) for row in conn.execute(query)]


def _place(conn_id: str, column: str) -> str:
    return f"connection/{conn_id}/{column}"
