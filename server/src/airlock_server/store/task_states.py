"""
What tasks keep between tries (AIP-103): JSON text by task instance and key. Values are never parsed here.

A value belongs to the task instance, whichever try asks; a value whose time has passed is as if it were not there.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airlock_server.store import instance_keys
from airlock_server.store.engine import upsert
from airlock_server.store.engine.types import now
from airlock_server.store.schema import task_instance, task_state
from airlock_wire.identity import TaskInstanceKey

_s = task_state.c
#: Built once: building a statement at each call costs more than the read.
_KEY_OF = sa.select(*(task_instance.c[name] for name in instance_keys.COLUMNS)).where(
    task_instance.c.id == sa.bindparam("ti_id")
)
_ONE = sa.select(_s.value).where(
    *(_s[name] == sa.bindparam(name) for name in (*instance_keys.COLUMNS, "key")),
    sa.or_(_s.expires_at.is_(None), _s.expires_at > sa.bindparam("now", type_=_s.expires_at.type)),
)


def key_of(conn: sa.Connection, ti_id: str) -> TaskInstanceKey | None:
    """Returns which task instance has this id now; None for one that does not exist, or has another id."""
    row = conn.execute(_KEY_OF, {"ti_id": ti_id}).one_or_none()
    return None if row is None else instance_keys.of_row(row)


def get(conn: sa.Connection, owner: TaskInstanceKey, key: str) -> bytes | None:
    """Returns a value's JSON."""
    value: bytes | None = conn.scalar(_ONE, {**instance_keys.as_columns(owner), "key": key, "now": now()})
    return value


def put(conn: sa.Connection, owner: TaskInstanceKey, key: str, value: bytes, expires_at: datetime | None) -> None:
    """Makes or replaces a value, and removes those whose time has passed."""
    conn.execute(sa.delete(task_state).where(_s.expires_at <= now()))
    place: dict[str, Any] = {**instance_keys.as_columns(owner), "key": key}
    upsert.upsert(conn, task_state, place, {"value": value, "updated_at": now(), "expires_at": expires_at})


def delete(conn: sa.Connection, owner: TaskInstanceKey, key: str) -> None:
    """Removes a value, if it exists."""
    conn.execute(sa.delete(task_state).where(*_at(owner, key)))


def clear(conn: sa.Connection, owner: TaskInstanceKey) -> None:
    """Removes all values of a task instance."""
    conn.execute(sa.delete(task_state).where(*instance_keys.at(task_state, owner)))


def clear_all_map_indexes(conn: sa.Connection, owner: TaskInstanceKey) -> None:
    """Removes all values of a task's instances in a DAG run, of every map index."""
    same = [_s[name] == getattr(owner, name) for name in ("dag_id", "run_id", "task_id")]
    conn.execute(sa.delete(task_state).where(*same))


def _at(owner: TaskInstanceKey, key: str) -> list[sa.ColumnElement[bool]]:
    return [*instance_keys.at(task_state, owner), _s.key == key]
