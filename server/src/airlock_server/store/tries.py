"""
The store's functions for the owner of task instances: queue a try, queue it again, close it.

Functions over a connection, for ``Engine.write`` and ``Engine.read``.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.assets import NO_ASSETS, Declarations, Granted, every
from airlock_server.store import dag_runs, instance_keys, task_instances
from airlock_server.store.assets import declared
from airlock_server.store.engine import locks
from airlock_server.store.engine.types import now as clock
from airlock_server.store.errors import BadId, OwnedElsewhere, TryIsLive, UnknownDag
from airlock_server.store.run_keys import run_id_of
from airlock_server.store.schema import dag, task_instance, task_instance_history
from airlock_wire import ids
from airlock_wire.identity import TaskInstanceKey
from airlock_wire.protocol.messages import TaskInstance
from airlock_wire.states import FINISHED, TaskInstanceState

_t = task_instance.c

#: A launch may be under way in these.
_LIVE = (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING)
#: From here a new try may be queued; from every other state something else is still to come.
MAY_QUEUE = FINISHED | {
    TaskInstanceState.NONE,
    TaskInstanceState.SCHEDULED,
    TaskInstanceState.UP_FOR_RETRY,
    TaskInstanceState.RESTARTING,
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a try. ``archived``: a later try has taken its place, under another id."""

    ti_id: str
    key: TaskInstanceKey
    try_number: int
    max_tries: int
    state: TaskInstanceState
    reason: str | None
    dag_version_id: str
    queued_at: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    retry_delay_seconds: float | None
    archived: bool


def as_wire(row: Outcome) -> TaskInstance:
    """Returns a try as a runner is told of it."""
    return TaskInstance(
        id=row.ti_id,
        task_id=row.key.task_id,
        dag_id=row.key.dag_id,
        run_id=row.key.run_id,
        try_number=row.try_number,
        map_index=row.key.map_index,
        dag_version_id=row.dag_version_id,
    )


def claim_dag(conn: sa.Connection, dag_id: str, bundle_name: str) -> None:
    """Claims the DAG for this bundle if nobody owns it; raises OwnedElsewhere if another bundle does."""
    bundle_owner = f"bundle:{bundle_name}"
    owner = claim_dag_for(conn, dag_id, bundle_owner)
    if owner != bundle_owner:
        raise OwnedElsewhere(
            f"DAG {dag_id!r} belongs to {owner!r}, so bundle {bundle_name!r} cannot have one of that name: "
            "rename one of them"
        )


def borrow_dag(conn: sa.Connection, dag_id: str, bundle_name: str) -> None:
    """
    Claims the DAG for this bundle unless any bundle has it: whoever runs a file by its path on the database's machine
    may do so whatever bundle the file is in. Raises OwnedElsewhere if TaskRuns made by hand own it.
    """
    owner = claim_dag_for(conn, dag_id, f"bundle:{bundle_name}")
    if not owner.startswith("bundle:"):
        raise OwnedElsewhere(f"DAG {dag_id!r} belongs to {owner!r}: give this one another dag_id")


def claim_dag_for(conn: sa.Connection, dag_id: str, owner: str) -> str:
    """Claims the DAG for ``owner`` if nobody owns it; returns the owner."""
    before: str | None = conn.scalar(sa.select(dag.c.owner).where(dag.c.dag_id == dag_id))
    if before is None:
        conn.execute(sa.insert(dag).values(dag_id=dag_id, owner=owner, claimed_at=clock()))
    return before or owner


def queue_task(
    conn: sa.Connection,
    key: TaskInstanceKey,
    *,
    try_number: int,
    max_tries: int,
    conf: dict[str, Any] | None,
    now: datetime,
    taskrun_uid: str | None = None,
    namespace: str | None = None,
    assets: Declarations = NO_ASSETS,
    granted: Granted = every,
) -> str:
    """
    Queues a try of a task instance and returns its uuid; makes the DAG run, of type ``manual``, if it does not exist.

    The key's ``run_id`` is the run's name of ``run_keys``. ``conf`` is for a new DAG run, and ignored for an existing
    one. ``assets`` are those that it may use, whatever an earlier try was allowed; the ``granted`` ones are
    registered. A finished task instance is archived and queued anew. Raises BadId, UnknownDag, or TryIsLive if the
    task instance is queued or running.
    """
    for name, value, wrong in (
        ("dag_id", key.dag_id, ids.problem(key.dag_id)),
        ("run_id", key.run_id, ids.run_problem(run_id_of(key.run_id) if namespace else key.run_id)),
        ("task_id", key.task_id, ids.problem(key.task_id)),
    ):
        if wrong:
            raise BadId(f"{name} {value!a} {wrong}")
    locks.lock(conn, task_instance, *instance_keys.at(task_instance, key))
    if conn.scalar(sa.select(dag.c.dag_id).where(dag.c.dag_id == key.dag_id)) is None:
        raise UnknownDag(f"DAG {key.dag_id!r} was never claimed by a bundle")
    if not dag_runs.exists(conn, key.dag_id, key.run_id):
        dag_runs.make_manual(conn, dag_id=key.dag_id, run_id=key.run_id, conf=conf, now=now, namespace=namespace)
    row = conn.execute(
        sa.select(_t.id, _t.state, _t.try_number).where(*instance_keys.at(task_instance, key))
    ).one_or_none()
    if row is None:
        ti_id, before = str(uuid.uuid4()), None
        values = instance_keys.as_columns(key) | _queued(try_number, max_tries, now, taskrun_uid)
        conn.execute(sa.insert(task_instance).values(id=ti_id, **values))
    else:
        ti_id, before = row.id, row.state
        if before not in MAY_QUEUE:
            raise TryIsLive(
                f"try {row.try_number} of {key.dag_id}.{key.task_id} (map index {key.map_index}) in DAG run "
                f"{key.run_id!r} is {before}; wait for its end"
            )
        if before in FINISHED:
            ti_id = task_instances.archive(conn, ti_id, now)
        values = _queued(try_number, max_tries, now, taskrun_uid)
        conn.execute(sa.update(task_instance).where(_t.id == ti_id).values(values))
    task_instances.write_down(conn, ti_id, before, TaskInstanceState.QUEUED, now, task_instances.BY_OWNER)
    declared.declare(conn, key, assets, granted)
    return ti_id


def requeue(conn: sa.Connection, ti_id: str) -> bool:
    """
    Makes a queued or running task instance ready for a new launch of the same try; returns False if it is neither.

    Its earlier launch is cut off: its heartbeats are refused from now on. This uses up no retry.
    """
    task_instances.lock(conn, ti_id)
    before = _live_state(conn, ti_id)
    if before is None:
        return False
    values = {"hostname": None, "unixname": None, "pid": None, "last_heartbeat_at": None, "queued_at": clock()}
    owner = task_instances.BY_OWNER
    task_instances.move(conn, ti_id, before, TaskInstanceState.QUEUED, by=owner, values=values)
    return True


def close(conn: sa.Connection, ti_id: str, state: TaskInstanceState, reason: str) -> bool:
    """Writes the owner's verdict about a queued or running try; False if it is neither, and nothing is done."""
    task_instances.lock(conn, ti_id)
    before = _live_state(conn, ti_id)
    if before is None:
        return False
    values = {"reason": reason, "end_date": clock(), "next_method": None, "next_kwargs": None}
    owner = task_instances.BY_OWNER
    task_instances.move(conn, ti_id, before, TaskInstanceState(state), by=owner, values=values)
    return True


def outcome(conn: sa.Connection, ti_id: str) -> Outcome | None:
    """Returns the state of a try, also after a retry has archived its id; None for an unknown id."""
    for table, archived in ((task_instance, False), (task_instance_history, True)):
        names = [field for field in Outcome.__struct_fields__ if field not in ("ti_id", "key", "archived")]
        columns = [table.c[name] for name in (*instance_keys.COLUMNS, *names)]
        row = conn.execute(sa.select(*columns).where(table.c.id == ti_id)).one_or_none()
        if row is not None:
            fields = {name: getattr(row, name) for name in names} | {"state": TaskInstanceState(row.state)}
            return Outcome(ti_id=ti_id, key=instance_keys.of_row(row), archived=archived, **fields)
    return None


def note_reason(conn: sa.Connection, ti_id: str, reason: str) -> bool:
    """Stores why a try, live or archived, is in its state; returns False for an unknown id."""
    return any(
        conn.execute(sa.update(table).where(table.c.id == ti_id).values(reason=reason)).rowcount
        for table in (task_instance, task_instance_history)
    )


def _live_state(conn: sa.Connection, ti_id: str) -> str | None:
    return conn.scalar(sa.select(_t.state).where(_t.id == ti_id, _t.state.in_(_LIVE)))


def _queued(try_number: int, max_tries: int, now: datetime, taskrun_uid: str | None) -> dict[str, Any]:
    return {
        "state": TaskInstanceState.QUEUED,
        "taskrun_uid": taskrun_uid,
        "try_number": try_number,
        "max_tries": max_tries,
        "dag_version_id": str(uuid.uuid4()),
        "queued_at": now,
        "reason": None,
        "hostname": None,
        "unixname": None,
        "pid": None,
        "start_date": None,
        "end_date": None,
        "last_heartbeat_at": None,
        "next_method": None,
        "next_kwargs": None,
        "rendered_map_index": None,
    }
