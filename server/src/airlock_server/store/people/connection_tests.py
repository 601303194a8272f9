"""
Tests of connections that are not stored yet. A test has its own copy of the fields, encrypted at rest.

``make`` is for whoever lets a person try a connection; a worker fetches the fields once and writes the result once.
"""

import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.keys.encryption import Encryption
from airlock_server.rules.connection_tests import State
from airlock_server.store import connections
from airlock_server.store.connections import Connection
from airlock_server.store.engine import locks
from airlock_server.store.engine.types import now
from airlock_server.store.schema import connection_test

_c = connection_test.c
_SECRET = ("password", "extra")


class ConnectionTest(msgspec.Struct, frozen=True):
    """A test: its state, the connection, and whether that is stored once the test has succeeded."""

    state: State
    connection: Connection
    commit_on_success: bool


def make(conn: sa.Connection, encryption: Encryption, connection: Connection, *, commit_on_success: bool) -> str:
    """Makes a pending test and returns its uuid."""
    test_id, moment = str(uuid.uuid4()), now()
    values: dict[str, Any] = msgspec.structs.asdict(connection)
    for secret in _SECRET:
        if values[secret] is not None:
            values[secret] = encryption.encrypt(values[secret], _place(test_id, secret))
    values |= {"state": State.PENDING.value, "commit_on_success": commit_on_success}
    values |= {"id": test_id, "made_at": moment, "updated_at": moment}
    conn.execute(sa.insert(connection_test).values(values))
    return test_id


def get(conn: sa.Connection, encryption: Encryption, test_id: str) -> ConnectionTest | None:
    """Returns a test, locked for a write that its state decides; None if it does not exist."""
    locks.lock(conn, connection_test, _c.id == test_id)
    row = conn.execute(sa.select(connection_test).where(_c.id == test_id)).one_or_none()
    if row is None:
        return None
    fields = {name: getattr(row, name) for name in Connection.__struct_fields__}
    for secret in _SECRET:
        if fields[secret] is not None:
            fields[secret] = encryption.decrypt(fields[secret], _place(test_id, secret))
    return ConnectionTest(State(row.state), Connection(**fields), row.commit_on_success)


def begin(conn: sa.Connection, test_id: str) -> None:
    """Notes that a worker has fetched the connection."""
    _set(conn, test_id, state=State.RUNNING.value)


def end(conn: sa.Connection, encryption: Encryption, test_id: str, state: State, message: str | None) -> None:
    """Writes the result; stores the connection if the test succeeded and asks for that."""
    test = get(conn, encryption, test_id)
    _set(conn, test_id, state=state.value, result_message=message)
    if test is not None and test.commit_on_success and state is State.SUCCESS:
        connections.put(conn, encryption, test.connection)


def _set(conn: sa.Connection, test_id: str, **values: Any) -> None:
    conn.execute(sa.update(connection_test).where(_c.id == test_id).values(updated_at=now(), **values))


def _place(test_id: str, column: str) -> str:
    return f"connection_test/{test_id}/{column}"
