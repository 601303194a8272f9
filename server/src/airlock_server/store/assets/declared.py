"""Which assets a task instance may use, as was declared when it was queued."""

from typing import Any

import sqlalchemy as sa

from airlock_server.rules.assets import AssetKey, Declarations, Granted, Pattern, key_of
from airlock_server.store import instance_keys
from airlock_server.store.assets import registry
from airlock_server.store.schema import declared_asset
from airlock_wire.assets import DeclaredAsset, filled
from airlock_wire.identity import TaskInstanceKey

_d = declared_asset.c
#: The word for a pattern in the column ``type``.
_PATTERN = "Pattern"


def declare(conn: sa.Connection, key: TaskInstanceKey, declarations: Declarations, granted: Granted) -> None:
    """
    Replaces what a task instance may use, and registers its assets and aliases. What is not granted is not registered:
    else a namespace could take another's name by declaring it first.
    """
    conn.execute(sa.delete(declared_asset).where(*instance_keys.at(declared_asset, key)))
    both = [("inlet", filled(each)) for each in declarations.inlets]
    both += [("outlet", filled(each)) for each in declarations.outlets]
    rows: list[dict[str, Any]] = [
        {"use": use, "type": each.type, "name": each.name, "uri": each.uri} for use, each in both
    ]
    rows += [{"use": each.use, "type": _PATTERN, "name": each.pattern, "uri": ""} for each in declarations.patterns]
    if not rows:
        return
    place = instance_keys.as_columns(key)
    conn.execute(
        sa.insert(declared_asset), [{**place, "position": position, **row} for position, row in enumerate(rows)]
    )
    # In one order for everybody, so that two transactions that register the same assets do not wait for each other.
    for each in sorted((each for _, each in both), key=lambda each: (each.type, each.name, each.uri)):
        if not all(granted((text,)) for text in (each.name, each.uri) if text):
            continue
        if each.type == "Asset":
            registry.register(conn, each, key)
        elif each.type == "AssetAlias":
            registry.register_alias(conn, each.name, each.group)


def of_instance(conn: sa.Connection, key: TaskInstanceKey) -> Declarations:
    """Returns what a task instance may use; nothing if nothing was declared."""
    query = sa.select(_d.use, _d.type, _d.name, _d.uri).where(*instance_keys.at(declared_asset, key))
    rows = conn.execute(query.order_by(_d.position)).all()
    plain = [row for row in rows if row.type != _PATTERN]

    def of_use(use: str) -> tuple[DeclaredAsset, ...]:
        return tuple(DeclaredAsset(type=row.type, name=row.name, uri=row.uri) for row in plain if row.use == use)

    patterns = tuple(Pattern(row.use, row.name) for row in rows if row.type == _PATTERN)
    return Declarations(of_use("inlet"), of_use("outlet"), patterns)


def inactive(conn: sa.Connection, key: TaskInstanceKey) -> list[AssetKey]:
    """Returns the assets among a task instance's inlets and outlets that are not active."""
    declarations = of_instance(conn, key)
    keys = {key_of(each) for each in (*declarations.inlets, *declarations.outlets) if each.type == "Asset"}
    rows = {each: registry.by_key(conn, each) for each in keys}
    return sorted(each for each, row in rows.items() if row is None or not row.active)
