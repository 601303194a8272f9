"""
Which assets, aliases and watchers parsed DAGs name. What no DAG names any more is removed, or becomes inactive if
something happened with it. Functions over a connection.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa

from airlock_server.rules.assets import AssetKey
from airlock_server.rules.dag_assets import Named, assets_of
from airlock_server.store.assets import registry
from airlock_server.store.run_keys import owner_of
from airlock_server.store.schema import (
    alias_of_event,
    asset,
    asset_alias,
    asset_event,
    asset_of_alias,
    asset_state,
    asset_watcher,
    dag_asset,
)
from airlock_wire.assets import filled
from airlock_wire.dags.dag import SerializedDag

_a, _l, _d, _w = asset.c, asset_alias.c, dag_asset.c, asset_watcher.c
#: How often two transactions may register the same asset at the same moment. The second look finds the other's row.
_TRIES: Final = 3
#: Owners of assets that no namespace has: parsed DAGs, and runs of this machine.
_OF_DAGS: Final = "/"


def write(conn: sa.Connection, dag: SerializedDag) -> list[AssetKey]:
    """
    Writes what a DAG names, and registers its assets and aliases; returns those of its assets that are not active,
    because another DAG's has the name or the URI.
    """
    named = assets_of(dag)
    before = _named(conn, [dag.dag_id])
    rows = [_row(dag.dag_id, position, each) for position, each in enumerate(named)]
    if rows != before:
        _replace(conn, dag_asset, [dag.dag_id], rows)
    watchers = _watchers(dag)
    if watchers != _rows(conn, asset_watcher, [dag.dag_id]):
        _replace(conn, asset_watcher, [dag.dag_id], watchers)
    inactive = register(conn, dag)
    if rows != before:
        _retire(conn, before)
    return inactive


def remove(conn: sa.Connection, dag_ids: Collection[str]) -> None:
    """Removes what DAGs that are gone name."""
    before = _named(conn, dag_ids)
    _replace(conn, asset_watcher, dag_ids, [])
    _replace(conn, dag_asset, dag_ids, [])
    _retire(conn, before)


def register(conn: sa.Connection, dag: SerializedDag) -> list[AssetKey]:
    """Registers the assets and aliases that a DAG names; returns those of its assets that are not active."""
    inactive = []
    # In one order for everybody, so that two transactions that register the same do not wait for each other.
    for each in sorted((each.asset for each in assets_of(dag)), key=lambda each: (each.type, each.name, each.uri)):
        for left in reversed(range(_TRIES)):
            try:
                with conn.begin_nested():
                    if each.type == "Asset":
                        row = registry.register_for(conn, each, owner_of("", dag.dag_id))
                        inactive += [] if row.active else [row.key]
                    elif each.type == "AssetAlias":
                        registry.register_alias(conn, each.name, each.group)
                break
            except sa.exc.IntegrityError:
                if not left:
                    raise
    return sorted(set(inactive))


def _retire(conn: sa.Connection, rows: Iterable[dict[str, Any]]) -> None:
    """
    Removes those of the assets and aliases that no DAG names any more; inactive if they have a past. A DAG that begins
    to name one at this very moment registers it again when it is parsed next.
    """
    keys = {(row["type"], row["name"], row["uri"]) for row in rows}
    for kind, name, uri in sorted(keys):
        same = (_d.type == kind, _d.name == name, _d.uri == uri)
        if conn.scalar(sa.select(_d.position).where(*same).limit(1)) is not None:
            continue
        if kind == "Asset":
            _retire_asset(conn, AssetKey(name, uri))
        elif kind == "AssetAlias":
            _retire_alias(conn, name)


def _retire_asset(conn: sa.Connection, key: AssetKey) -> None:
    row = registry.by_key(conn, key)
    # Another namespace's TaskRuns declare their own.
    if row is None or conn.scalar(sa.select(_a.id).where(_a.id == row.id, _a.declared_by.startswith(_OF_DAGS))) is None:
        return
    conn.execute(sa.delete(asset_state).where(asset_state.c.asset_id == row.id))
    kept = any(
        conn.scalar(sa.select(sa.literal(1)).where(column == row.id).limit(1))
        for column in (asset_event.c.asset_id, asset_of_alias.c.asset_id)
    )
    if not kept:
        try:
            with conn.begin_nested():
                conn.execute(sa.delete(asset).where(_a.id == row.id))
        except sa.exc.IntegrityError:
            # It has got an event meanwhile.
            kept = True
    if kept:
        conn.execute(sa.update(asset).where(_a.id == row.id).values(active=False))


def _retire_alias(conn: sa.Connection, name: str) -> None:
    past = [sa.exists().where(table.c.alias_id == _l.id) for table in (asset_of_alias, alias_of_event)]
    conn.execute(sa.delete(asset_alias).where(_l.name == name, *(~each for each in past)))


def _row(dag_id: str, position: int, each: Named) -> dict[str, Any]:
    return {
        "dag_id": dag_id,
        "position": position,
        "use": each.use,
        "task_id": each.task_id,
        "type": each.asset.type,
        "name": each.asset.name,
        "uri": each.asset.uri,
    }


def _watchers(dag: SerializedDag) -> list[dict[str, Any]]:
    whole = [(filled(each.asset), each) for each in dag.watchers]
    return [
        {
            "dag_id": dag.dag_id,
            "position": position,
            "asset_name": of.name,
            "asset_uri": of.uri,
            "name": each.name,
            "classpath": each.classpath,
            "kwargs": each.kwargs,
        }
        for position, (of, each) in enumerate(whole)
    ]


def _named(conn: sa.Connection, dag_ids: Collection[str]) -> list[dict[str, Any]]:
    return _rows(conn, dag_asset, dag_ids)


def _rows(conn: sa.Connection, table: sa.Table, dag_ids: Collection[str]) -> list[dict[str, Any]]:
    chosen = sa.select(table).where(table.c.dag_id.in_(sorted(dag_ids))).order_by(table.c.dag_id, table.c.position)
    names = [column.name for column in table.columns]
    return [dict(zip(map(str, names), row, strict=True)) for row in conn.execute(chosen)]


def _replace(conn: sa.Connection, table: sa.Table, dag_ids: Collection[str], rows: list[dict[str, Any]]) -> None:
    conn.execute(sa.delete(table).where(table.c.dag_id.in_(sorted(dag_ids))))
    if rows:
        conn.execute(sa.insert(table), rows)
