"""
Questions about the task instances and DAG runs of a DAG: how many, in which states, which one before.

``namespace`` is the asker's: a TaskRun sees the runs of its namespace and no others. None asks about all runs.
"""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.store.run_keys import key_of, run_id_of
from airlock_server.store.schema import dag_run, task_instance
from airlock_wire.states import FINISHED, TaskInstanceState

_t, _r = task_instance.c, dag_run.c
_JOINED = task_instance.join(dag_run, sa.and_(_t.dag_id == _r.dag_id, _t.run_id == _r.run_id))
#: How a state that is not set is called in a query.
NULL = "null"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which task instances or DAG runs are meant. None and an empty list mean any; no ``task_ids`` at all mean none."""

    dag_id: str
    namespace: str | None = None
    map_index: int | None = None
    task_ids: list[str] | None = None
    logical_dates: list[datetime] = []
    run_ids: list[str] = []
    states: list[str] = []


def count(conn: sa.Connection, selection: Selection) -> int:
    """Counts task instances."""
    query = (
        sa.select(sa.func.count())
        .select_from(_JOINED)
        .where(*_chosen(selection), *_in_state(_t.state, selection.states))
    )
    return conn.scalar(query) or 0


def states(conn: sa.Connection, selection: Selection) -> dict[str, dict[str, str | None]]:
    """Returns the state of each task instance by run, and by task with its map index."""
    query = sa.select(_t.run_id, _t.task_id, _t.map_index, _t.state).select_from(_JOINED).where(*_chosen(selection))
    by_run: dict[str, dict[str, str | None]] = {}
    for row in conn.execute(query.order_by(_t.run_id, _t.task_id, _t.map_index)):
        name = row.task_id if row.map_index < 0 else f"{row.task_id}_{row.map_index}"
        by_run.setdefault(run_id_of(row.run_id), {})[name] = _state(row.state)
    return by_run


def breadcrumbs(conn: sa.Connection, selection: Selection) -> list[dict[str, Any]]:
    """Returns what became of the task instances that have ended, in the order of their names."""
    ended = _t.state.in_([each.value for each in FINISHED])
    query = sa.select(task_instance).select_from(_JOINED).where(*_chosen(selection), ended)
    return [
        {
            "task_id": row.task_id,
            "map_index": row.map_index,
            "state": row.state,
            # Known once the server parses DAG files.
            "operator": None,
            "duration": _seconds(row),
        }
        for row in conn.execute(query.order_by(_t.task_id, _t.map_index))
    ]


def previous(
    conn: sa.Connection, selection: Selection, task_id: str, before: datetime | None, state: str | None
) -> dict[str, Any] | None:
    """Returns the task instance of the newest run, or of the newest before a logical date; None without one."""
    query = sa.select(task_instance, _r.logical_date).select_from(_JOINED)
    query = query.where(*_chosen(selection), _t.task_id == task_id)
    if before is not None:
        query = query.where(_r.logical_date < before)
    if state is not None:
        query = query.where(*_in_state(_t.state, [state]))
    row = conn.execute(query.order_by(_r.logical_date.desc().nulls_last(), _r.run_after.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return {
        "task_id": row.task_id,
        "dag_id": row.dag_id,
        "run_id": run_id_of(row.run_id),
        "logical_date": row.logical_date,
        "start_date": row.start_date,
        "end_date": row.end_date,
        "state": _state(row.state),
        "try_number": row.try_number,
        "map_index": row.map_index,
        "duration": _seconds(row),
    }


def count_runs(conn: sa.Connection, selection: Selection) -> int:
    """Counts DAG runs."""
    query = sa.select(sa.func.count()).select_from(dag_run)
    return conn.scalar(query.where(*_chosen_runs(selection), *_in_state(_r.state, selection.states))) or 0


def previous_run(conn: sa.Connection, selection: Selection, before: datetime, state: str | None) -> str | None:
    """Returns the name in the tables of the newest run before a logical date; None without one."""
    query = sa.select(_r.run_id).where(*_chosen_runs(selection), _r.logical_date < before)
    if state is not None:
        query = query.where(_r.state == state)
    run_key: str | None = conn.scalar(query.order_by(_r.logical_date.desc()).limit(1))
    return run_key


def previous_success(conn: sa.Connection, ti_id: str) -> dict[str, datetime | None]:
    """Returns the dates of the newest successful run before that of a task instance; all None without one."""
    names = ("data_interval_start", "data_interval_end", "start_date", "end_date")
    own = conn.execute(
        sa.select(_r.dag_id, _r.namespace, _r.logical_date).select_from(_JOINED).where(_t.id == ti_id)
    ).one_or_none()
    if own is None or own.logical_date is None:
        return dict.fromkeys(names)
    before = sa.select(*(_r[name] for name in names)).where(
        *_chosen_runs(Selection(dag_id=own.dag_id, namespace=own.namespace)),
        _r.state == "success",
        _r.logical_date < own.logical_date,
    )
    row = conn.execute(before.order_by(_r.logical_date.desc()).limit(1)).one_or_none()
    return dict.fromkeys(names) if row is None else dict(row._mapping)  # noqa: SLF001 - a row as a map


def _chosen_runs(selection: Selection) -> list[sa.ColumnElement[bool]]:
    conditions = [_r.dag_id == selection.dag_id]
    if selection.namespace is not None:
        conditions.append(_r.namespace == selection.namespace)
    if selection.logical_dates:
        conditions.append(_r.logical_date.in_(selection.logical_dates))
    if selection.run_ids:
        conditions.append(_r.run_id.in_([key_of(selection.namespace, run_id) for run_id in selection.run_ids]))
    return conditions


def _chosen(selection: Selection) -> list[sa.ColumnElement[bool]]:
    conditions = _chosen_runs(selection)
    if selection.map_index is not None:
        conditions.append(_t.map_index == selection.map_index)
    if selection.task_ids is not None:
        conditions.append(_t.task_id.in_(selection.task_ids))
    return conditions


def _in_state(column: Any, names: list[str]) -> list[sa.ColumnElement[bool]]:
    """Returns the condition for one of these states; a state that is not set is ``null``."""
    if not names:
        return []
    return [column.in_([TaskInstanceState.NONE.value if name == NULL else name for name in names])]


def _state(state: str) -> str | None:
    return None if state == TaskInstanceState.NONE else state


def _seconds(row: Any) -> float | None:
    if row.start_date is None or row.end_date is None:
        return None
    return float((row.end_date - row.start_date).total_seconds())
