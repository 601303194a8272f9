"""
Clears a DAG run, so that it may run again: each of its task instances gets a new id and leaves its state.

A launch that runs is cut off: its id is archived, and its pod is no longer the current one. What a cleared task
instance has is not cleared again, so a second call changes nothing.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airlock_server.store import task_instances
from airlock_server.store.engine import locks
from airlock_server.store.engine.types import now
from airlock_server.store.schema import attempt, dag_run, task_instance
from airlock_wire.states import TaskInstanceState

_S = TaskInstanceState
_t, _r = task_instance.c, dag_run.c

#: What a cleared task instance is in: no launch of it counts.
_CLEARED = (_S.NONE, _S.RESTARTING)
_BECAUSE = "the DAG run was cleared"


def clear(conn: sa.Connection, dag_id: str, run_id: str) -> bool:
    """
    Clears a run, whose ``run_id`` is its name in the tables; returns False if it does not exist. A run that has ended
    is queued again.
    """
    this_run = [_r.dag_id == dag_id, _r.run_id == run_id]
    locks.lock(conn, dag_run, *this_run)
    row = conn.execute(sa.select(dag_run).where(*this_run)).one_or_none()
    if row is None:
        return False
    tasks = [_t.dag_id == dag_id, _t.run_id == run_id]
    locks.lock(conn, task_instance, *tasks)
    query = sa.select(task_instance).where(*tasks, _t.state.not_in([each.value for each in _CLEARED])).order_by(_t.id)
    moment = now()
    instances = conn.execute(query).all()
    for instance in instances:
        _clear_one(conn, instance, moment)
    if instances:
        values: dict[str, Any] = {"clear_number": row.clear_number + 1}
        if row.state in ("success", "failed"):
            values |= {"state": "queued", "start_date": None, "end_date": None}
        conn.execute(sa.update(dag_run).where(*this_run).values(values))
    return True


def _clear_one(conn: sa.Connection, row: Any, moment: datetime) -> None:
    """Archives the try under its id, and leaves the task instance without a launch, under another."""
    pods = sa.update(attempt).where(attempt.c.ti_id == row.id, attempt.c.ended_at.is_(None))
    conn.execute(pods.values(ended_at=moment, ended_because=_BECAUSE))
    new_id = task_instances.archive(conn, row.id, moment)
    after = _S.RESTARTING if row.state == _S.RUNNING else _S.NONE
    values = {
        "state": after,
        "reason": None,
        # Without the DAG's file nobody knows its retries: the tries so far do not count against them.
        "max_tries": max(row.max_tries, row.try_number),
        "taskrun_uid": None,
        "next_method": None,
        "next_kwargs": None,
        "trigger_timeout_at": None,
        "reschedule_date": None,
        "retry_delay_seconds": None,
        "retry_reason": None,
    }
    conn.execute(sa.update(task_instance).where(_t.id == new_id).values(values))
    task_instances.write_down(conn, row.id, row.state, after, moment, task_instances.BY_TASK)
