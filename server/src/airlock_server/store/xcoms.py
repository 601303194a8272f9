"""XComs: JSON text by DAG run, task, map index and key. Values are never parsed here."""

from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.store.engine import upsert
from airlock_server.store.engine.types import LARGE, now
from airlock_server.store.schema import dag_run, xcom


class XComKey(msgspec.Struct, frozen=True):
    """Which XComs: a key of a task in a DAG run, of every map index."""

    dag_id: str
    run_id: str
    task_id: str
    key: str


#: One XCom by its key. Built once: building the statement at each call costs more than the read.
_KEY = ("dag_id", "run_id", "task_id", "key", "map_index")
_ONE = (
    sa.select(xcom.c.value)
    .where(*(xcom.c[name] == sa.bindparam(name) for name in _KEY))
    .execution_options(**{LARGE: True})
)


def put(
    conn: sa.Connection,
    where: XComKey,
    map_index: int,
    value: bytes,
    *,
    dag_result: bool = False,
    mapped_length: int | None = None,
) -> bool:
    """Makes or replaces one XCom; returns False and writes nothing if the DAG run does not exist."""
    run = sa.select(dag_run.c.run_id).where(dag_run.c.dag_id == where.dag_id, dag_run.c.run_id == where.run_id)
    if conn.execute(run).one_or_none() is None:
        return False
    fields = {"value": value, "dag_result": dag_result, "mapped_length": mapped_length, "written_at": now()}
    upsert.upsert(conn, xcom, {**msgspec.structs.asdict(where), "map_index": map_index}, fields)
    return True


def get(conn: sa.Connection, where: XComKey, map_index: int) -> bytes | None:
    """One XCom's JSON."""
    value: bytes | None = conn.scalar(_ONE, {**msgspec.structs.asdict(where), "map_index": map_index})
    return value


def get_newest(conn: sa.Connection, where: XComKey, map_index: int) -> bytes | None:
    """One XCom's JSON, the newest of this DAG run and those before it."""
    value: bytes | None = conn.scalar(_chosen(where, True, xcom.c.map_index == map_index).limit(1))  # noqa: FBT003
    return value


def get_at(conn: sa.Connection, where: XComKey, offset: int, *, include_prior_dates: bool = False) -> bytes | None:
    """Reads the XCom at a place in the order of map indexes; a negative ``offset`` counts from the end."""
    order = xcom.c.map_index.asc() if offset >= 0 else xcom.c.map_index.desc()
    skip = offset if offset >= 0 else -1 - offset
    query = _chosen(where, include_prior_dates).order_by(None).order_by(order)
    value: bytes | None = conn.scalar(query.offset(skip).limit(1))
    return value


def get_slice(conn: sa.Connection, where: XComKey, part: slice, *, include_prior_dates: bool = False) -> list[bytes]:
    """Reads the XComs of a slice of the map indexes, as Python slices a list."""
    in_order = _chosen(where, include_prior_dates).order_by(None).order_by(xcom.c.map_index.asc())
    rows = conn.execute(in_order.with_only_columns(xcom.c.run_id, xcom.c.map_index)).all()[part]
    key = msgspec.structs.asdict(where)
    values = (conn.scalar(_ONE, key | {"run_id": row.run_id, "map_index": row.map_index}) for row in rows)
    return [value for value in values if value is not None]


def count(conn: sa.Connection, where: XComKey) -> int:
    """Counts the map indexes that have this XCom."""
    query = sa.select(sa.func.count()).select_from(xcom).where(*_of(where), xcom.c.run_id == where.run_id)
    return conn.scalar(query) or 0


def delete(conn: sa.Connection, where: XComKey, map_index: int) -> None:
    """Removes one XCom where there is one."""
    conn.execute(sa.delete(xcom).where(*_of(where), xcom.c.run_id == where.run_id, xcom.c.map_index == map_index))


def _of(where: XComKey) -> list[sa.ColumnElement[bool]]:
    return [xcom.c.dag_id == where.dag_id, xcom.c.task_id == where.task_id, xcom.c.key == where.key]


def _chosen(where: XComKey, prior: bool, *more: sa.ColumnElement[bool]) -> sa.Select[Any]:  # noqa: FBT001 - private
    query = sa.select(xcom.c.value).where(*_of(where), *more).execution_options(**{LARGE: True})
    if not prior:
        return query.where(xcom.c.run_id == where.run_id)
    this = dag_run.alias("this")
    when, this_when = (sa.func.coalesce(t.c.logical_date, t.c.run_after) for t in (dag_run, this))
    of_this = (this.c.dag_id == where.dag_id, this.c.run_id == where.run_id)
    this_date = sa.select(this_when).where(*of_this)
    # Two namespaces may have DAGs of one name, and must not see each other's runs.
    this_namespace = sa.select(this.c.namespace).where(*of_this).scalar_subquery()
    with_runs = xcom.join(dag_run, sa.and_(xcom.c.dag_id == dag_run.c.dag_id, xcom.c.run_id == dag_run.c.run_id))
    same = dag_run.c.namespace.is_not_distinct_from(this_namespace)
    query = query.select_from(with_runs).where(when <= this_date.scalar_subquery(), same)
    return query.order_by(when.desc(), xcom.c.written_at.desc())
