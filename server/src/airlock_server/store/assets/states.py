"""What tasks keep for an asset (AIP-103): JSON text by asset and key. Values are never parsed here."""

from typing import Any

import sqlalchemy as sa

from airlock_server.store import instance_keys
from airlock_server.store.engine import upsert
from airlock_server.store.engine.types import now
from airlock_server.store.schema import asset_state
from airlock_wire.identity import TaskInstanceKey

_s = asset_state.c


def get(conn: sa.Connection, asset_id: int, key: str) -> bytes | None:
    """Returns a value's JSON."""
    value: bytes | None = conn.scalar(sa.select(_s.value).where(_s.asset_id == asset_id, _s.key == key))
    return value


def put(conn: sa.Connection, asset_id: int, key: str, value: bytes, by: TaskInstanceKey) -> None:
    """Makes or replaces a value, and notes which task instance wrote it."""
    columns: dict[str, Any] = {"value": value, "updated_at": now(), **instance_keys.as_columns(by)}
    upsert.upsert(conn, asset_state, {"asset_id": asset_id, "key": key}, columns)


def delete(conn: sa.Connection, asset_id: int, key: str) -> None:
    """Removes a value, if it exists."""
    conn.execute(sa.delete(asset_state).where(_s.asset_id == asset_id, _s.key == key))


def clear(conn: sa.Connection, asset_id: int) -> None:
    """Removes all values of an asset."""
    conn.execute(sa.delete(asset_state).where(_s.asset_id == asset_id))
