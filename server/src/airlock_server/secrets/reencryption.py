"""
Encrypts every stored secret anew under the first key, a batch of rows in a transaction.

A row is either as it was or under the first key, so this may be killed at any moment and begun again.
"""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from airlock_server.keys.encryption import Encryption, Undecryptable
from airlock_server.store.engine.database import Engine
from airlock_server.store.schema import connection, connection_test, variable

#: Rows of a transaction. Other writes wait for one batch, and not for all of them.
BATCH = 200

#: Each table with secrets: the column that names a row, and those that are encrypted.
ENCRYPTED = (
    (variable, "key", ("value",)),
    (connection, "conn_id", ("password", "extra")),
    (connection_test, "id", ("password", "extra")),
)


class Outcome(NamedTuple):
    """How many values were encrypted anew, and the places of those that none of the keys opens."""

    changed: int
    lost: list[str]


class _Batch(NamedTuple):
    outcome: Outcome
    last: str | None


def reencrypt(
    db: Engine, encryption: Encryption, batch: int = BATCH, after_batch: Callable[[int], None] = lambda _: None
) -> Outcome:
    """Encrypts what is not under the first key; ``after_batch`` is told how many values were, so far. Blocks."""
    changed, lost = 0, list[str]()
    for table, name, columns in ENCRYPTED:
        last: str | None = None
        while True:
            after = last
            result = db.write(lambda conn: _batch(conn, encryption, table, name, columns, after, batch))  # noqa: B023 - it has run by the next turn
            changed += result.outcome.changed
            lost += result.outcome.lost
            after_batch(changed)
            if result.last is None:
                break
            last = result.last
    return Outcome(changed, lost)


def _batch(
    conn: sa.Connection,
    encryption: Encryption,
    table: sa.Table,
    name: str,
    columns: tuple[str, ...],
    after: str | None,
    batch: int,
) -> _Batch:
    key = table.c[name]
    query = sa.select(key, *(table.c[column] for column in columns)).order_by(key).limit(batch)
    rows = conn.execute(query if after is None else query.where(key > after)).all()
    changed, lost = 0, []
    for row in rows:
        for column, old in zip(columns, row[1:], strict=True):
            place = f"{table.name}/{row[0]}/{column}"
            if old is None or encryption.is_under_first(old, place):
                continue
            try:
                new = encryption.encrypt(encryption.decrypt(old, place), place)
            except Undecryptable:
                lost.append(place)
                continue
            # Another process may have replaced the value since it was read: then that one stays.
            same = (key == row[0], table.c[column] == old)
            changed += conn.execute(sa.update(table).where(*same).values({column: new})).rowcount
    return _Batch(Outcome(changed, lost), rows[-1][0] if len(rows) == batch else None)
