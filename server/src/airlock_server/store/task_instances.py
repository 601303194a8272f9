"""
Stores task instances: reads the row of a call, asks ``verdicts`` what the call does, and carries it out.

Every function runs inside one write transaction, and locks the row before it reads it. So nothing can come between the
read and the move. Every accepted move has a row in ``state_write``.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules import transitions
from airlock_server.rules.assets import Granted, Outlets, every
from airlock_server.rules.transitions import Caller, Missing, Seen, Verdict
from airlock_server.store import dag_runs, instance_keys, task_states
from airlock_server.store.assets import outcome
from airlock_server.store.engine import locks, upsert
from airlock_server.store.engine.types import now
from airlock_server.store.schema import (
    attempt,
    rendered_fields,
    state_write,
    task_instance,
    task_instance_history,
    xcom,
)
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.states import TaskInstanceState

BY_TASK = "task"
BY_OWNER = "owner"

_t = task_instance.c

#: What a task instance must not be to be skipped by another.
_NOT_SKIPPED = (TaskInstanceState.RUNNING, TaskInstanceState.SUCCESS, TaskInstanceState.FAILED)


class Answer(msgspec.Struct, frozen=True):
    """A verdict, and the facts of the row for the answer."""

    verdict: Verdict
    current: Seen | Missing
    context: dict[str, Any] | None = None


def lock(conn: sa.Connection, *ti_ids: str) -> None:
    """Locks task instances for a write that their rows decide."""
    locks.lock(conn, task_instance, _t.id.in_(ti_ids))


def run(conn: sa.Connection, ti_id: str, launch: Caller, start_date: datetime, *, clears_xcoms: bool = False) -> Answer:
    """
    PATCH /run. The context is the body of its answer. ``clears_xcoms``: the runner removes the XComs of an earlier try
    itself.
    """
    lock(conn, ti_id)
    row = _row(conn, ti_id)
    current = Missing.UNKNOWN if row is None else _seen(row)
    verdict = transitions.on_run(current, launch)
    if row is None or verdict not in (Verdict.MOVE, Verdict.REPLAY):
        return Answer(verdict, current)
    moment = now()
    if verdict is Verdict.MOVE:
        values: dict[str, Any] = {
            "state": TaskInstanceState.RUNNING,
            "hostname": launch.hostname,
            "unixname": launch.unixname,
            "pid": launch.pid,
            "end_date": None,
            "last_heartbeat_at": moment,
            "retry_delay_seconds": None,
            "retry_reason": None,
            "reason": None,
        }
        # A task instance that resumes keeps the date on which it first started.
        if row.next_method is None:
            values["start_date"] = start_date
            _clear_xcoms(conn, row, but_own=clears_xcoms)
        conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(values))
        write_down(conn, ti_id, row.state, TaskInstanceState.RUNNING, moment, BY_TASK)
    else:
        conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(last_heartbeat_at=moment))
    return Answer(verdict, current, _run_context(conn, row, clears_xcoms=clears_xcoms))


def heartbeat(conn: sa.Connection, ti_id: str, hostname: str, pid: int) -> Answer:
    """Carries out PUT /heartbeat. The common case is one statement; only a refusal reads the row."""
    beat = conn.execute(_BEAT, {"ti": ti_id, "host": hostname, "process": pid, "moment": now()})
    if beat.rowcount:
        return Answer(Verdict.BEAT, Seen(TaskInstanceState.RUNNING, hostname, None, pid))
    row = _row(conn, ti_id)
    current = _missing(conn, ti_id) if row is None else _seen(row)
    return Answer(transitions.on_heartbeat(current, hostname, pid), current)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    A parsed PATCH /state: the state, and what it sets of the row.

    ``values`` are columns of ``task_instance``; a column that the report does not mention stays as it is.
    ``record`` is stored in the column ``report``.
    ``timeout`` starts when the report is carried out.
    ``outlets`` is what a success says about assets.
    ``problem`` is a fault beyond its shape, which matters only if the state would move.
    """

    state: TaskInstanceState
    values: dict[str, Any] = {}
    record: dict[str, Any] | None = None
    problem: str | None = None
    timeout: timedelta | None = None
    outlets: Outlets | None = None


def report(
    conn: sa.Connection, ti_id: str, parsed: Report, granted: Granted = every, *, clears_state: bool = False
) -> Answer:
    """
    Carries out PATCH /state. ``granted`` tells which assets the grants open to it; ``clears_state``: a success removes
    what the task instance keeps.
    """
    lock(conn, ti_id)
    row = _row(conn, ti_id)
    current = Missing.UNKNOWN if row is None else _seen(row)
    verdict = transitions.on_report(current, parsed.state)
    if row is not None and verdict is Verdict.MOVE:
        if parsed.problem is not None:
            return Answer(Verdict.INVALID_REPORT, current)
        state = transitions.state_after_report(parsed.state)
        values = dict(parsed.values)
        if parsed.timeout is not None:
            values["trigger_timeout_at"] = now() + parsed.timeout
        if state is TaskInstanceState.UP_FOR_RESCHEDULE:
            values["reschedule_count"] = row.reschedule_count + 1
            values["reschedule_start_date"] = row.reschedule_start_date or row.start_date
        if state is not parsed.state:
            values |= {"end_date": now(), "reason": f"reported {parsed.state.value}, which no running task may report"}
        move(conn, ti_id, row.state, state, by=BY_TASK, values={"report": parsed.record, **values})
        key = instance_keys.of_row(row)
        if parsed.outlets is not None:
            outcome.write_down(conn, key, parsed.outlets, granted)
        if state is TaskInstanceState.SUCCESS and clears_state:
            task_states.clear(conn, key)
    return Answer(verdict, current)


def move(
    conn: sa.Connection, ti_id: str, before: str, after: TaskInstanceState, *, by: str, values: dict[str, Any]
) -> None:
    """
    Moves a task instance out of the state ``before``, and adds its row to ``state_write``. The pod that ran it is
    settled, whatever the new state is.

    The state ``up_for_retry`` ends the try: it is archived under its id, and the task instance gets a new id.
    """
    moment = now()
    conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(state=after, **values))
    write_down(conn, ti_id, before, after, moment, by)
    conn.execute(_SETTLE, {"ti": ti_id, "moment": moment})
    if after is TaskInstanceState.UP_FOR_RETRY:
        archive(conn, ti_id, moment)


def archive(conn: sa.Connection, ti_id: str, moment: datetime) -> str:
    """Copies the row to the history under its id, gives the live row a new id, and returns that."""
    columns = [column.name for column in task_instance.c]
    copied = sa.select(
        *(task_instance.c[name] for name in columns), sa.literal(moment, task_instance_history.c.archived_at.type)
    )
    conn.execute(sa.insert(task_instance_history).from_select([*columns, "archived_at"], copied.where(_t.id == ti_id)))
    new_id = str(uuid.uuid4())
    fresh: dict[str, Any] = {"id": new_id, "hostname": None, "unixname": None, "pid": None, "report": None}
    fresh |= {"reschedule_count": 0, "reschedule_start_date": None}
    conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(fresh))
    return new_id


def write_down(conn: sa.Connection, ti_id: str, before: str | None, after: str, moment: datetime, by: str) -> None:
    """Adds the row of ``state_write`` for a move."""
    row = {"ti_id": ti_id, "from_state": before, "to_state": after, "at": moment, "by": by}
    conn.execute(sa.insert(state_write).values(row))


def skip(conn: sa.Connection, ti_id: str, tasks: list[tuple[str, int]]) -> bool:
    """
    Marks task instances of the same DAG run as skipped, but for those that run, succeeded or failed; each is a task and
    a map index. Returns False if ``ti_id`` does not exist.
    """
    row = _row(conn, ti_id)
    if row is None:
        return False
    skippable = sa.and_(
        _t.dag_id == row.dag_id, _t.run_id == row.run_id, _t.state.not_in([each.value for each in _NOT_SKIPPED])
    )
    named = sa.tuple_(_t.task_id, _t.map_index).in_(tasks)
    locks.lock(conn, task_instance, skippable, named)
    moment = now()
    for task_id, map_index in tasks:
        one = sa.select(_t.id, _t.state).where(skippable, _t.task_id == task_id, _t.map_index == map_index)
        other = conn.execute(one).one_or_none()
        if other is not None and other.state != TaskInstanceState.SKIPPED:
            values = {"start_date": moment, "end_date": moment}
            move(conn, other.id, other.state, TaskInstanceState.SKIPPED, by=BY_TASK, values=values)
    return True


def reschedule_start_date(conn: sa.Connection, ti_id: str) -> datetime | None:
    """Returns when the present try first started, if it was put aside by a reschedule since."""
    moment: datetime | None = conn.scalar(sa.select(_t.reschedule_start_date).where(_t.id == ti_id))
    return moment


def by_state(conn: sa.Connection) -> dict[str, int]:
    """Returns how many task instances are in each state."""
    table = task_instance.c
    rows = conn.execute(sa.select(table.state, sa.func.count()).group_by(table.state)).all()
    return {str(state or TaskInstanceState.NONE): count for state, count in rows}


def rendered_fields_of(conn: sa.Connection, key: TaskInstanceKey) -> bytes | None:
    """Returns a task instance's rendered fields, a JSON object; None where it has not stored them."""
    kept: bytes | None = conn.scalar(sa.select(rendered_fields.c.fields).where(*instance_keys.at(rendered_fields, key)))
    return kept


def set_rendered_fields(conn: sa.Connection, ti_id: str, fields: bytes) -> Missing | None:
    """
    Carries out PUT /rtif: stores the JSON object ``fields``; returns what is missing if there is no task instance.
    """
    row = _row(conn, ti_id)
    if row is None:
        return _missing(conn, ti_id)
    key = instance_keys.of_row(row)
    upsert.upsert(conn, rendered_fields, instance_keys.as_columns(key), {"fields": fields})
    return None


def set_rendered_map_index(conn: sa.Connection, ti_id: str, value: str) -> bool:
    """Carries out PATCH /rendered-map-index; returns False if the task instance does not exist."""
    return conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(rendered_map_index=value)).rowcount > 0


_SETTLE = (
    sa.update(attempt)
    .where(attempt.c.ti_id == sa.bindparam("ti"), attempt.c.settled_at.is_(None))
    .values(settled_at=sa.bindparam("moment"))
)

_BEAT = (
    sa.update(task_instance)
    .where(
        _t.id == sa.bindparam("ti"),
        _t.state == TaskInstanceState.RUNNING.value,
        _t.hostname == sa.bindparam("host"),
        _t.pid == sa.bindparam("process"),
    )
    .values(last_heartbeat_at=sa.bindparam("moment"))
)


def _row(conn: sa.Connection, ti_id: str) -> Any:
    return conn.execute(sa.select(task_instance).where(_t.id == ti_id)).one_or_none()


def _seen(row: Any) -> Seen:
    return Seen(TaskInstanceState(row.state), row.hostname, row.unixname, row.pid)


def _missing(conn: sa.Connection, ti_id: str) -> Missing:
    old = conn.execute(sa.select(task_instance_history.c.id).where(task_instance_history.c.id == ti_id)).one_or_none()
    return Missing.UNKNOWN if old is None else Missing.ARCHIVED


def _run_context(conn: sa.Connection, row: Any, *, clears_xcoms: bool = False) -> dict[str, Any]:
    context: dict[str, Any] = {
        "dag_run": dag_runs.as_wire(conn, row.dag_id, row.run_id),
        "task_reschedule_count": row.reschedule_count,
        "max_tries": row.max_tries,
        "variables": [],
        "connections": [],
        "xcom_keys_to_clear": _own_xcom_keys(conn, row) if clears_xcoms and row.next_method is None else [],
        "should_retry": row.state == TaskInstanceState.RESTARTING
        or (row.max_tries != 0 and row.try_number <= row.max_tries),
    }
    if row.next_method:
        context |= {"next_method": row.next_method, "next_kwargs": row.next_kwargs, "start_date": row.start_date}
    return context


def run_context(conn: sa.Connection, ti_id: str) -> dict[str, Any]:
    """Returns what PATCH /run answers, of a task instance that does not run."""
    row = _row(conn, ti_id)
    assert row is not None  # noqa: S101 - its owner asks
    return _run_context(conn, row)


def _clear_xcoms(conn: sa.Connection, row: Any, *, but_own: bool) -> None:
    """
    Removes the XComs that an earlier launch of the task instance pushed: a fresh start must not find them.

    Airflow leaves that to the runner and names the keys in ``xcom_keys_to_clear``. Here it is one statement in the
    transaction of PATCH /run, so a launch cannot fail between its start and its cleaning. But a class of the author's
    may keep values elsewhere (``[core] xcom_backend``), and only the runner can purge them: with ``but_own`` the task
    instance's own XComs are left to it.
    """
    conditions = _xcoms_of_task(row)
    if row.map_index >= 0:
        conditions.append(xcom.c.map_index == row.map_index)
    if but_own:
        conditions.append(xcom.c.map_index != row.map_index)
    conn.execute(sa.delete(xcom).where(*conditions))


def _own_xcom_keys(conn: sa.Connection, row: Any) -> list[str]:
    own = sa.select(xcom.c.key).where(*_xcoms_of_task(row), xcom.c.map_index == row.map_index)
    return list(conn.scalars(own.order_by(xcom.c.key)))


def _xcoms_of_task(row: Any) -> list[sa.ColumnElement[bool]]:
    return [xcom.c.dag_id == row.dag_id, xcom.c.run_id == row.run_id, xcom.c.task_id == row.task_id]
