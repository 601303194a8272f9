"""Asset events: one for each time that an asset was written."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.store import instance_keys
from airlock_server.store.assets.registry import COLUMNS, Asset
from airlock_server.store.engine.types import now
from airlock_server.store.run_keys import run_id_of
from airlock_server.store.schema import alias_of_event, asset, asset_alias, asset_event
from airlock_wire.identity import TaskInstanceKey

_e = asset_event.c
_a = asset.c


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of an asset or alias: both times belong to it. A ``limit`` of 0 or None does not count."""

    after: datetime | None = None
    before: datetime | None = None
    ascending: bool = True
    limit: int | None = None


def add(
    conn: sa.Connection,
    asset_id: int,
    source: TaskInstanceKey,
    *,
    extra: dict[str, Any],
    partition_key: str | None,
    alias_ids: tuple[int, ...] = (),
) -> None:
    """Adds an event that came by these aliases."""
    columns = {f"source_{name}": value for name, value in instance_keys.as_columns(source).items()}
    values = {"asset_id": asset_id, "timestamp": now(), "extra": extra, "partition_key": partition_key, **columns}
    event_id = conn.scalar(sa.insert(asset_event).values(values).returning(_e.id))
    for alias_id in alias_ids:
        conn.execute(sa.insert(alias_of_event).values(event_id=event_id, alias_id=alias_id))


def of_asset(conn: sa.Connection, name: str, uri: str, window: Window) -> list[dict[str, Any]]:
    """Returns the events of an asset. By one of name and URI alone it must be active."""
    by = [column == text for column, text in ((_a.name, name), (_a.uri, uri)) if text]
    if not (name and uri):
        by.append(_a.active.is_(True))
    return _events(conn, window, by)


def of_alias(conn: sa.Connection, name: str, window: Window) -> list[dict[str, Any]]:
    """Returns the events that came by an alias."""
    numbers = (
        sa.select(alias_of_event.c.event_id)
        .join(asset_alias, asset_alias.c.id == alias_of_event.c.alias_id)
        .where(asset_alias.c.name == name)
    )
    return _events(conn, window, [_e.id.in_(numbers)])


def _events(conn: sa.Connection, window: Window, where: list[Any]) -> list[dict[str, Any]]:
    query = sa.select(asset_event, *(column.label(f"of_{column.name}") for column in COLUMNS))
    query = query.join(asset, _a.id == _e.asset_id).where(*where)
    if window.after is not None:
        query = query.where(_e.timestamp >= window.after)
    if window.before is not None:
        query = query.where(_e.timestamp <= window.before)
    # The number decides between events of one moment, so that an order is the same each time.
    order = (_e.timestamp, _e.id) if window.ascending else (_e.timestamp.desc(), _e.id.desc())
    query = query.order_by(*order)
    if window.limit:
        query = query.limit(window.limit)
    return [_as_wire(row) for row in conn.execute(query)]


def _as_wire(row: Any) -> dict[str, Any]:
    written = Asset(*(getattr(row, f"of_{name}") for name in Asset.__struct_fields__))
    names = ("id", "timestamp", "extra", "source_dag_id", "source_task_id", "source_map_index", "partition_key")
    fields = {name: getattr(row, name) for name in names}
    run_id = None if row.source_run_id is None else run_id_of(row.source_run_id)
    # A scheduler that makes DAG runs of events is still to come, so no event has made any.
    return {**fields, "source_run_id": run_id, "asset": written.as_wire(), "created_dagruns": []}
