"""Grants: which variables and connections a namespace's tasks may read, and which assets and DAGs they may use."""

from collections.abc import Callable
from typing import Literal

import msgspec
import sqlalchemy as sa

from airlock_server.store.engine import upsert
from airlock_server.store.engine.types import now
from airlock_server.store.schema import access_grant
from airlock_wire.patterns import matches

Kind = Literal["variable", "connection", "asset", "dag"]

_g = access_grant.c
#: Built once: building the statement at each call costs more than the read.
_PATTERNS = sa.select(_g.pattern).where(_g.namespace == sa.bindparam("namespace"), _g.kind == sa.bindparam("kind"))


class Grant(msgspec.Struct, frozen=True):
    """
    Tasks of ``namespace`` may read the variables or connections, use the assets, or make and clear runs of the DAGs,
    that ``pattern`` (``wire.patterns``) fits. A pattern of assets fits names and URIs, and names of aliases.
    """

    namespace: str
    kind: Kind
    pattern: str


def add(conn: sa.Connection, grant: Grant) -> None:
    """Adds a grant, unless it exists."""
    upsert.upsert(conn, access_grant, msgspec.structs.asdict(grant), {"granted_at": now()})


def remove(conn: sa.Connection, grant: Grant) -> bool:
    """Removes a grant; returns whether it existed."""
    same = [_g.namespace == grant.namespace, _g.kind == grant.kind, _g.pattern == grant.pattern]
    return conn.execute(sa.delete(access_grant).where(*same)).rowcount > 0


def list_(conn: sa.Connection, kind: Kind | None, namespace: str | None) -> list[Grant]:
    """Returns the grants in order, optionally of one kind or one namespace."""
    query = sa.select(_g.namespace, _g.kind, _g.pattern).order_by(_g.namespace, _g.kind, _g.pattern)
    if kind is not None:
        query = query.where(_g.kind == kind)
    if namespace is not None:
        query = query.where(_g.namespace == namespace)
    return [Grant(*row) for row in conn.execute(query)]


def patterns(conn: sa.Connection, namespace: str, kind: Kind) -> list[str]:
    """Returns the patterns that are granted to a namespace."""
    return list(conn.scalars(_PATTERNS, {"namespace": namespace, "kind": kind}))


def opener(conn: sa.Connection, namespace: str, kind: Kind) -> Callable[[tuple[str, ...]], bool]:
    """Returns a function that tells whether the grants of a namespace cover one of several names."""
    granted = patterns(conn, namespace, kind)
    return lambda names: any(covers(granted, name) for name in names)


def covers(granted: list[str], name: str) -> bool:
    """Tells whether one of the patterns fits the name."""
    return any(matches(pattern, name) for pattern in granted)
