"""
Which assets and aliases there are.

At most one active asset has a name, and one a URI. An asset that a DAG declares anew, with another name or URI, takes
the place of that DAG's own older one. Beside the active asset of another DAG the newer one stays inactive.
"""

import hashlib
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.assets import AssetKey, key_of
from airlock_server.store.engine import upsert
from airlock_server.store.engine.types import now
from airlock_server.store.run_keys import owner_of
from airlock_server.store.schema import asset, asset_alias, asset_of_alias
from airlock_wire.assets import DeclaredAsset
from airlock_wire.identity import TaskInstanceKey

_a = asset.c
_l = asset_alias.c
_o = asset_of_alias.c


class Asset(msgspec.Struct, frozen=True):
    """An asset's row."""

    id: int
    name: str
    uri: str
    group: str
    extra: dict[str, Any]
    active: bool

    @property
    def key(self) -> AssetKey:
        """Its name and URI."""
        return AssetKey(self.name, self.uri)

    def as_wire(self) -> dict[str, Any]:
        """Returns the asset as the Execution API shows it."""
        return {"name": self.name, "uri": self.uri, "group": self.group, "extra": self.extra}


#: The columns of ``Asset``, in order.
COLUMNS = [_a[name] for name in Asset.__struct_fields__]


def register(conn: sa.Connection, declared: DeclaredAsset, by: TaskInstanceKey) -> Asset:
    """Returns the asset that a task instance declares or writes; see ``register_for``."""
    return register_for(conn, declared, owner_of(by.run_id, by.dag_id))


def register_for(conn: sa.Connection, declared: DeclaredAsset, owner: str) -> Asset:
    """
    Returns the asset that a DAG declares or writes; makes it, or makes it active, unless another DAG's active asset has
    its name or URI.
    """
    key = key_of(declared)
    existing = by_key(conn, key)
    values: dict[str, Any] = {"group": declared.group, "extra": declared.extra}
    if existing is not None and existing.active:
        if values != {"group": existing.group, "extra": existing.extra}:
            conn.execute(sa.update(asset).where(_a.id == existing.id, _a.declared_by == owner).values(values))
        return by_key(conn, key) or existing
    rivals = sa.and_(_a.active, sa.or_(_a.name == key.name, _a.uri == key.uri))
    conn.execute(sa.update(asset).where(rivals, _a.declared_by == owner).values(active=False))
    values["active"] = conn.scalar(sa.select(_a.id).where(rivals).limit(1)) is None
    if existing is None:
        values |= {"name": key.name, "uri": key.uri, "digest": _digest(key)}
        conn.execute(sa.insert(asset).values(declared_by=owner, declared_at=now(), **values))
    elif values["active"]:
        conn.execute(sa.update(asset).where(_a.id == existing.id).values(declared_by=owner, **values))
    return _existing(conn, key)


def by_key(conn: sa.Connection, key: AssetKey) -> Asset | None:
    """Returns the asset of this name and URI, active or not."""
    return _one(conn, _a.digest == _digest(key))


def active(conn: sa.Connection, *, name: str | None = None, uri: str | None = None) -> Asset | None:
    """Returns the active asset of this name, or of this URI."""
    return _one(conn, _a.active, _a.uri == uri if name is None else _a.name == name)


def register_alias(conn: sa.Connection, name: str, group: str = "asset") -> int:
    """Returns the number of an alias; makes it if it does not exist."""
    number: int | None = conn.scalar(sa.select(_l.id).where(_l.name == name))
    if number is None:
        number = conn.scalar(sa.insert(asset_alias).values(name=name, group=group).returning(_l.id))
    assert number is not None  # noqa: S101 - found or made
    return number


def give(conn: sa.Connection, alias_id: int, asset_id: int) -> None:
    """Makes an asset one of an alias's."""
    upsert.upsert(conn, asset_of_alias, {"alias_id": alias_id, "asset_id": asset_id}, {})


def of_alias(conn: sa.Connection, name: str) -> list[Asset]:
    """Returns the assets of an alias, in the order in which they were made; empty for an unknown alias."""
    through = asset_of_alias.join(asset_alias, _l.id == _o.alias_id).join(asset, _a.id == _o.asset_id)
    query = sa.select(*COLUMNS).select_from(through).where(_l.name == name).order_by(_a.id)
    return [Asset(*row) for row in conn.execute(query)]


def aliases_of(conn: sa.Connection, asset_id: int) -> set[str]:
    """Returns the names of the aliases that have an asset."""
    query = sa.select(_l.name).join(asset_of_alias, _l.id == _o.alias_id).where(_o.asset_id == asset_id)
    return set(conn.scalars(query))


def _one(conn: sa.Connection, *where: Any) -> Asset | None:
    row = conn.execute(sa.select(*COLUMNS).where(*where)).one_or_none()
    return None if row is None else Asset(*row)


def _existing(conn: sa.Connection, key: AssetKey) -> Asset:
    row = by_key(conn, key)
    assert row is not None  # noqa: S101 - just made
    return row


def _digest(key: AssetKey) -> str:
    return hashlib.sha256(f"{key.name}\0{key.uri}".encode()).hexdigest()
