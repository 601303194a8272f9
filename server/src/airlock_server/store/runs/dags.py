"""DAGs: who owns one, and what is known of it beside its name."""

from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.triggering import DagFacts
from airlock_server.store.engine import locks
from airlock_server.store.schema import dag, dag_run

_d = dag.c
#: What an owner's name begins with if the owner is a bundle.
_BUNDLE = "bundle:"
_FACTS = DagFacts.__struct_fields__


class Dag(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG, and its bundle; None if TaskRuns made by hand own it."""

    dag_id: str
    bundle_name: str | None
    facts: DagFacts


def get(conn: sa.Connection, dag_id: str, namespace: str | None = None) -> Dag | None:
    """
    Returns a DAG, None if nobody claimed it. For a ``namespace``, a DAG that TaskRuns own is there only if it has a run
    in this namespace: such DAGs share their names.
    """
    row = conn.execute(sa.select(dag).where(_d.dag_id == dag_id)).one_or_none()
    if row is None:
        return None
    bundle = row.owner.removeprefix(_BUNDLE) if row.owner.startswith(_BUNDLE) else None
    if bundle is None and namespace is not None and not _has_run(conn, dag_id, namespace):
        return None
    known = {name: value for name in _FACTS if (value := getattr(row, name)) is not None}
    return Dag(dag_id=dag_id, bundle_name=bundle, facts=DagFacts(**known))


def describe(conn: sa.Connection, dag_id: str, facts: DagFacts) -> None:
    """
    Notes what is known of a claimed DAG, in the place of what was known. What a DAG processor has written stays.
    """
    values: dict[str, Any] = msgspec.structs.asdict(facts)
    conn.execute(sa.update(dag).where(_d.dag_id == dag_id, _d.last_parsed_at.is_(None)).values(values))


def lock(conn: sa.Connection, dag_id: str) -> None:
    """Locks a DAG, for a run that its other runs decide."""
    locks.lock(conn, dag, _d.dag_id == dag_id)


def _has_run(conn: sa.Connection, dag_id: str, namespace: str) -> bool:
    one = sa.select(dag_run.c.run_id).where(dag_run.c.dag_id == dag_id, dag_run.c.namespace == namespace).limit(1)
    return conn.execute(one).one_or_none() is not None
