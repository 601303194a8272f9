"""
Bundles: folders of DAG files by their names. Functions over a connection.

A bundle is active while any DAG processor that runs has it among its settings. So a processor never decides alone that
a bundle is gone: it renews its own, and after a while ends those that nobody renews.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from airlock_server.store.engine.upsert import upsert
from airlock_server.store.schema import dag, dag_bundle, import_error

_b = dag_bundle.c


def renew(conn: sa.Connection, names: Iterable[str], moment: datetime) -> None:
    """Says that a processor has these bundles among its settings."""
    for name in sorted(names):
        upsert(conn, dag_bundle, {"name": name}, {"active": True, "seen_at": moment})


def refreshed(conn: sa.Connection, name: str, version: str | None, moment: datetime) -> None:
    """Notes which version of a bundle its files have now."""
    conn.execute(sa.update(dag_bundle).where(_b.name == name).values(version=version, refreshed_at=moment))


def end(conn: sa.Connection, moment: datetime, after_seconds: float) -> list[str]:
    """
    Ends the bundles that no processor has renewed for so long: their DAGs are stale, and their import errors are
    removed. Returns their names.
    """
    ended = (_b.active, _b.seen_at < moment - timedelta(seconds=after_seconds))
    names = list(conn.scalars(sa.select(_b.name).where(*ended).order_by(_b.name)))
    if names:
        conn.execute(sa.update(dag_bundle).where(_b.name.in_(names)).values(active=False))
        owners = [f"bundle:{name}" for name in names]
        conn.execute(sa.update(dag).where(dag.c.owner.in_(owners)).values(is_stale=True))
        conn.execute(sa.delete(import_error).where(import_error.c.bundle_name.in_(names)))
    return names


def active(conn: sa.Connection) -> dict[str, str | None]:
    """Returns the versions of the active bundles by their names."""
    query = sa.select(_b.name, _b.version).where(_b.active).order_by(_b.name)
    return {row.name: row.version for row in conn.execute(query)}
