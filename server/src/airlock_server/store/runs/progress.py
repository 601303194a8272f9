"""
A DAG run and its task instances, for whoever moves them on: makes a run, reads it as the rules need it, and writes what
the rules decided. Functions over a connection, for ``Engine.write`` and ``Engine.read``.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.assets import Declarations, every
from airlock_server.rules.scheduling.snapshot import UNMAPPED, Changes, Instance, Key, Move, Past, SkipRecord
from airlock_server.store import task_instances, xcoms
from airlock_server.store.assets import declared
from airlock_server.store.engine.types import now
from airlock_server.store.schema import dag_run, metadata, task_instance, xcom
from airlock_server.store.task_instances import BY_OWNER
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.protocol.triggers import TaskEnd
from airlock_wire.states import FINISHED, TaskInstanceState

_r, _t, _x = dag_run.c, task_instance.c, xcom.c
_S = TaskInstanceState

_RETURN_VALUE = "return_value"
#: The XCom in which a branch or short circuit says whom it skips: Airflow's name.
_SKIP_KEY = "skipmixin_key"
#: Tables of what has happened, and the run itself.
_KEPT = frozenset({"dag_run", "asset_event"})


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to make. Without a logical date it has no data interval."""

    dag_id: str
    run_id: str
    run_after: datetime
    run_type: str = "manual"
    logical_date: datetime | None = None
    data_interval: tuple[datetime, datetime] | None = None
    conf: dict[str, Any] = {}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A task instance for the rules, with its id, when it started, and what its last report carried."""

    ti_id: str
    instance: Instance
    start_date: datetime | None = None
    report: Mapping[str, Any] | None = None
    trigger_timeout_at: datetime | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has come to."""

    rows: list[Row]
    lengths: dict[str, int]
    pushed: dict[str, int]
    skip_records: dict[Key, SkipRecord]


def make(conn: sa.Connection, run: NewRun) -> None:
    """Makes a running DAG run. One of the same id is replaced, with everything that belongs to it."""
    forget(conn, run.dag_id, run.run_id)
    start, end = run.data_interval or (None, None)
    values = {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "run_type": run.run_type,
        "state": "running",
        "logical_date": run.logical_date,
        "data_interval_start": start,
        "data_interval_end": end,
        "run_after": run.run_after,
        "start_date": now(),
        "conf": run.conf,
    }
    conn.execute(sa.insert(dag_run).values(values))


def forget(conn: sa.Connection, dag_id: str, run_id: str) -> None:
    """Deletes a run, and everything that belongs to it."""
    for table in reversed(metadata.sorted_tables):
        if table.name not in _KEPT and {"dag_id", "run_id"} <= set(table.c.keys()):
            conn.execute(sa.delete(table).where(table.c.dag_id == dag_id, table.c.run_id == run_id))
    conn.execute(sa.delete(dag_run).where(_r.dag_id == dag_id, _r.run_id == run_id))


def end(conn: sa.Connection, dag_id: str, run_id: str, state: str) -> None:
    """Writes how a run ended."""
    values = {"state": state, "end_date": now()}
    conn.execute(sa.update(dag_run).where(_r.dag_id == dag_id, _r.run_id == run_id).values(values))


def read(conn: sa.Connection, dag_id: str, run_id: str) -> Progress:
    """Returns what a run has come to."""
    rows = conn.execute(sa.select(task_instance).where(_t.dag_id == dag_id, _t.run_id == run_id)).all()
    of_run = (_x.dag_id == dag_id, _x.run_id == run_id)
    lengths = sa.select(_x.task_id, _x.mapped_length).where(
        *of_run, _x.key == _RETURN_VALUE, _x.map_index == UNMAPPED, _x.mapped_length.is_not(None)
    )
    pushed = sa.select(_x.task_id, sa.func.count().label("pushed")).where(
        *of_run, _x.key == _RETURN_VALUE, _x.map_index >= 0
    )
    records = sa.select(_x.task_id, _x.map_index, _x.value).where(*of_run, _x.key == _SKIP_KEY)
    return Progress(
        rows=[_row(each) for each in rows],
        lengths={each.task_id: each.mapped_length for each in conn.execute(lengths)},
        pushed={each.task_id: each.pushed for each in conn.execute(pushed.group_by(_x.task_id))},
        skip_records={
            Key(task_id, index): record
            for task_id, index, value in conn.execute(records)
            if (record := skip_record(value)) is not None
        },
    )


def skip_record(value: bytes) -> SkipRecord | None:
    """Returns what a branch or short circuit pushed; None for a value that is not of their form. User code wrote it."""
    try:
        fields = msgspec.json.decode(value, type=dict[str, list[str]])
    except msgspec.MsgspecError:
        return None
    followed, skipped = fields.get("followed"), fields.get("skipped")
    if followed is None and skipped is None:
        return None
    return SkipRecord(
        followed=None if followed is None else frozenset(followed),
        skipped=None if skipped is None else frozenset(skipped),
    )


def write(conn: sa.Connection, dag_id: str, run_id: str, changes: Changes) -> None:
    """Writes the rows and states of a decision. Its starts are queued one by one: ``queue``."""
    of_run = (_t.dag_id == dag_id, _t.run_id == run_id)
    for task_id in changes.renumbered:
        unmapped = (*of_run, _t.task_id == task_id, _t.map_index == UNMAPPED)
        conn.execute(sa.update(task_instance).where(*unmapped).values(map_index=0))
    for task_id in changes.dropped:
        conn.execute(sa.delete(task_instance).where(*of_run, _t.task_id == task_id, _t.map_index == UNMAPPED))
    if changes.inserts:
        version = str(uuid.uuid4())
        new = [
            {
                "id": str(uuid.uuid4()),
                "dag_id": dag_id,
                "run_id": run_id,
                "task_id": each.task_id,
                "map_index": each.map_index,
                "try_number": 0,
                "max_tries": each.max_tries,
                "state": _S.NONE,
                "dag_version_id": version,
            }
            for each in changes.inserts
        ]
        conn.execute(sa.insert(task_instance), new)
    for move in changes.moves:
        _move(conn, TaskInstanceKey(dag_id, run_id, move.key.task_id, move.key.map_index), move)


def _move(conn: sa.Connection, key: TaskInstanceKey, move: Move) -> None:
    row = _find(conn, key)
    if row is None or row.state == move.state:
        return
    moment = now()
    values: dict[str, Any] = {}
    if move.try_number is not None:
        values["try_number"] = move.try_number
    if move.state in FINISHED:
        values |= {"start_date": row.start_date or moment, "end_date": moment}
    task_instances.move(conn, row.id, row.state, move.state, by=BY_OWNER, values=values)


def queue(conn: sa.Connection, key: TaskInstanceKey, assets: Declarations) -> str | None:
    """
    Queues a scheduled task instance for a launch, with the assets that it may use; returns its id. None if it is not
    scheduled any more.
    """
    row = _find(conn, key)
    if row is None or row.state != _S.SCHEDULED:
        return None
    values: dict[str, Any] = {"queued_at": now(), "reason": None, "hostname": None, "unixname": None, "pid": None}
    task_instances.move(conn, row.id, row.state, _S.QUEUED, by=BY_OWNER, values=values)
    declared.declare(conn, key, assets, every)
    ti_id: str = row.id
    return ti_id


def resume(conn: sa.Connection, ti_id: str, method: str | None, more: Mapping[str, Any]) -> bool:
    """
    Lets a deferred task instance go on, with more arguments than it named itself; returns False if it is not deferred.
    ``method`` None: the one that it named.
    """
    task_instances.lock(conn, ti_id)
    row = conn.execute(sa.select(task_instance).where(_t.id == ti_id)).one_or_none()
    if row is None or row.state != _S.DEFERRED:
        return False
    own = row.next_kwargs if isinstance(row.next_kwargs, dict) and method is None else {}
    values = {"next_method": method or row.next_method, "next_kwargs": {**own, **more}, "trigger_timeout_at": None}
    task_instances.move(conn, ti_id, row.state, _S.SCHEDULED, by=BY_OWNER, values=values)
    return True


def close(conn: sa.Connection, ti_id: str, end: TaskEnd) -> bool:
    """
    Ends a deferred task instance as its trigger says, without another launch; returns False if it is not deferred. Of
    a failure with tries left it becomes a retry.
    """
    task_instances.lock(conn, ti_id)
    row = conn.execute(sa.select(task_instance).where(_t.id == ti_id)).one_or_none()
    if row is None or row.state != _S.DEFERRED:
        return False
    state = _S(end.state)
    if state is _S.FAILED and row.max_tries > 0 and row.try_number <= row.max_tries:
        state = _S.UP_FOR_RETRY
    for key, value in end.xcoms.items():
        where = xcoms.XComKey(row.dag_id, row.run_id, row.task_id, key)
        length = len(value) if key == _RETURN_VALUE and isinstance(value, list | dict) else None
        xcoms.put(conn, where, row.map_index, msgspec.json.encode(value), mapped_length=length)
    values = {"next_method": None, "next_kwargs": None, "trigger_timeout_at": None, "end_date": now()}
    task_instances.move(conn, ti_id, row.state, state, by=BY_OWNER, values=values)
    return True


def defer(conn: sa.Connection, ti_id: str, method: str, kwargs: Mapping[str, Any]) -> None:
    """Stores how a task instance goes on that is deferred before any process of it has run."""
    values = {"next_method": method, "next_kwargs": dict(kwargs), "start_date": now()}
    conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(values))


def _find(conn: sa.Connection, key: TaskInstanceKey) -> Any:
    return conn.execute(
        sa.select(_t.id, _t.state, _t.start_date)
        .where(_t.dag_id == key.dag_id, _t.run_id == key.run_id)
        .where(_t.task_id == key.task_id, _t.map_index == key.map_index)
    ).one_or_none()


def _row(row: Any) -> Row:
    instance = Instance(
        task_id=row.task_id,
        map_index=row.map_index,
        state=_S(row.state),
        try_number=row.try_number,
        max_tries=row.max_tries,
        end_date=row.end_date,
        reschedule_date=row.reschedule_date,
        retry_delay_override=row.retry_delay_seconds,
    )
    return Row(
        ti_id=row.id,
        instance=instance,
        start_date=row.start_date,
        report=row.report,
        trigger_timeout_at=row.trigger_timeout_at,
    )


def past(conn: sa.Connection, dag_id: str, logical_date: datetime | None, *, catchup: bool) -> Past | None:
    """Returns the run before a logical date, for tasks that depend on it; None if it is the first."""
    if logical_date is None:
        return None
    earlier = [_r.dag_id == dag_id, _r.logical_date < logical_date, _r.namespace.is_(None)]
    chosen = [*earlier, _r.run_type != "manual"] if catchup else earlier
    before = conn.execute(
        sa.select(_r.run_id, _r.logical_date).where(*chosen).order_by(_r.logical_date.desc()).limit(1)
    ).one_or_none()
    if before is None:
        return None
    states: dict[str, list[TaskInstanceState]] = {}
    own = sa.select(_t.task_id, _t.state).where(_t.dag_id == dag_id, _t.run_id == before.run_id)
    for task_id, state in conn.execute(own):
        states.setdefault(task_id, []).append(_S(state))
    runs = sa.select(_r.run_id).where(*earlier)
    older = sa.select(_t.task_id).distinct().where(_t.dag_id == dag_id, _t.run_id.in_(runs))
    return Past(logical_date=before.logical_date, states=states, older=frozenset(conn.scalars(older)))
