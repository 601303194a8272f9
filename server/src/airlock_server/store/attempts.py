"""
Stores attempts: which pod runs which task instance, from its first exchange to the TaskRun's end.

Each pod has one row. A pod's first exchange supersedes the earlier pods of its TaskRun, and does to the task instance
what ``rules.takeover`` decides. All of it is one transaction, which also makes the row.
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules.assets import every
from airlock_server.rules.attempts import Attempt, Claim, Known, OwnedBy, RunBy, Superseded
from airlock_server.rules.takeover import Found, Step, succeed
from airlock_server.store import grants, instance_keys, task_instances, tries
from airlock_server.store.engine import locks
from airlock_server.store.engine.types import now as clock
from airlock_server.store.run_keys import key_of
from airlock_server.store.schema import attempt, task_instance
from airlock_wire.states import TaskInstanceState

_a = attempt.c
_t = task_instance.c


class TaskRunRef(msgspec.Struct, frozen=True, order=True):
    """A TaskRun with attempts in the store."""

    namespace: str
    name: str
    uid: str


#: The owner of a DAG that a TaskRun made by hand has claimed. All such TaskRuns share it: two teams may have a DAG
#: ``etl``.
BY_HAND = "kubectl"


def of_pod(conn: sa.Connection, pod_uid: str) -> Attempt | None:
    """Returns the pod's row, None if it was never given a token."""
    row = conn.execute(_BY_POD, {"pod": pod_uid}).one_or_none()
    if row is None:
        return None
    return Attempt(key=instance_keys.of_row(row), **{name: getattr(row, name) for name in _PLAIN})


def known(conn: sa.Connection, pod_uid: str) -> Known | None:
    """Returns the state of the try that a pod runs, None if the pod was never given a token."""
    attempt_of_pod = of_pod(conn, pod_uid)
    if attempt_of_pod is None:
        return None
    query = sa.select(_t.state, _t.reason).where(
        _t.id == attempt_of_pod.ti_id, _t.try_number == attempt_of_pod.try_number
    )
    row = conn.execute(query).one_or_none()
    return Known("unknown") if row is None else Known(row.state, row.reason or "")


def admit(conn: sa.Connection, claim: Claim, *, by_grant: bool = False) -> Attempt | Superseded | OwnedBy | RunBy:
    """
    Returns the pod's row: made where it asks for the first time, unchanged where it asks again. ``by_grant``: it uses
    only assets that were granted to its namespace.
    """
    key = msgspec.structs.replace(claim.key, run_id=key_of(claim.namespace, claim.key.run_id))
    locks.lock(conn, task_instance, *instance_keys.at(task_instance, key))
    before = of_pod(conn, claim.pod_uid)
    if before is not None:
        return before if before.ended_at is None else Superseded(before.ended_because or "the launch has ended")
    newer = conn.scalar(
        sa.select(sa.func.max(_a.number)).where(_a.taskrun_uid == claim.taskrun_uid, _a.ended_at.is_(None))
    )
    if newer is not None and newer > claim.number:
        return Superseded(f"attempt {newer} of the TaskRun has taken over")
    owner = tries.claim_dag_for(conn, claim.key.dag_id, BY_HAND)
    if owner != BY_HAND:
        return OwnedBy(owner)
    claim = msgspec.structs.replace(claim, key=key)
    row = conn.execute(
        sa.select(_t.id, _t.state, _t.try_number, _t.taskrun_uid).where(*instance_keys.at(task_instance, key))
    ).one_or_none()
    instance_row = None
    if row is not None:
        instance_row = Found(TaskInstanceState(row.state), row.try_number, row.taskrun_uid == claim.taskrun_uid)
    step = succeed(instance_row, claim.try_number)
    if step is Step.SUPERSEDED:
        return Superseded("a later try of the TaskRun has begun")
    if step is Step.BUSY:
        return _run_by(conn, None if row is None else row.taskrun_uid)
    end(conn, claim.taskrun_uid, f"attempt {claim.number} of the TaskRun has taken over")
    return _insert(conn, claim, _carry_out(conn, step, row, claim, by_grant=by_grant), settled=step is Step.FINISHED)


def end(conn: sa.Connection, taskrun_uid: str, because: str) -> int:
    """Ends every open attempt of a TaskRun; returns their number."""
    statement = sa.update(attempt).where(_a.taskrun_uid == taskrun_uid, _a.ended_at.is_(None))
    return conn.execute(statement.values(ended_at=clock(), ended_because=because)).rowcount


def watched(conn: sa.Connection) -> list[TaskRunRef]:
    """Returns the TaskRuns with an open attempt."""
    query = sa.select(_a.namespace, _a.taskrun_name, _a.taskrun_uid).where(_a.ended_at.is_(None)).distinct()
    return [TaskRunRef(*row) for row in conn.execute(query)]


def lock(conn: sa.Connection, taskrun_uid: str) -> None:
    """Locks the live task instance of a TaskRun, which also keeps other pods of the TaskRun away."""
    locks.lock(conn, task_instance, _t.taskrun_uid == taskrun_uid)


def row_of_taskrun(conn: sa.Connection, taskrun_uid: str) -> tuple[str, TaskInstanceState] | None:
    """Returns the live task instance of a TaskRun, id and state; None where another TaskRun has it now."""
    one = (
        sa.select(_t.id, _t.state)
        .join(attempt, instance_keys.same(attempt, task_instance))
        .where(_a.taskrun_uid == taskrun_uid, _t.taskrun_uid == taskrun_uid)
        .limit(1)
    )
    row = conn.execute(one).one_or_none()
    return None if row is None else (row.id, TaskInstanceState(row.state))


def _run_by(conn: sa.Connection, taskrun_uid: str | None) -> RunBy:
    query = sa.select(_a.namespace, _a.taskrun_name, _a.taskrun_uid).where(_a.taskrun_uid == taskrun_uid).limit(1)
    row = None if taskrun_uid is None else conn.execute(query).one_or_none()
    return RunBy() if row is None else RunBy(namespace=row.namespace, name=row.taskrun_name, uid=row.taskrun_uid)


def _carry_out(conn: sa.Connection, step: Step, row: Any, claim: Claim, *, by_grant: bool) -> str:
    """Does the step; returns the id of the task instance after it."""
    if step in (Step.KEEP, Step.FINISHED):
        return str(row.id)
    if step is Step.REQUEUE:
        values: dict[str, Any] = {"hostname": None, "unixname": None, "pid": None, "last_heartbeat_at": None}
        values["queued_at"] = clock()
        task_instances.move(
            conn, row.id, row.state, TaskInstanceState.QUEUED, by=task_instances.BY_OWNER, values=values
        )
        return str(row.id)
    if step is Step.NEXT_TRY and TaskInstanceState(row.state) not in tries.MAY_QUEUE:
        values = {"reason": "the TaskRun went on to its next try", "end_date": clock()}
        task_instances.move(
            conn, row.id, row.state, TaskInstanceState.UP_FOR_RETRY, by=task_instances.BY_OWNER, values=values
        )
    return tries.queue_task(
        conn,
        claim.key,
        try_number=claim.try_number,
        max_tries=claim.max_tries,
        conf=claim.conf,
        now=clock(),
        taskrun_uid=claim.taskrun_uid,
        namespace=claim.namespace,
        assets=claim.assets,
        granted=grants.opener(conn, claim.namespace, "asset") if by_grant else every,
    )


#: An attempt's columns beside its key's.
_PLAIN = [name for name in Attempt.__struct_fields__ if name != "key"]
_NAMED = [name for name in Attempt.__struct_fields__ if name in Claim.__struct_fields__]


def _insert(conn: sa.Connection, claim: Claim, ti_id: str, *, settled: bool) -> Attempt:
    moment = clock()
    version = conn.scalar(sa.select(_t.dag_version_id).where(_t.id == ti_id))
    fields: dict[str, Any] = {name: getattr(claim, name) for name in _NAMED}
    fields |= {"ti_id": ti_id, "dag_version_id": str(version), "settled_at": moment if settled else None}
    new_attempt = Attempt(**fields)
    columns = {name: getattr(new_attempt, name) for name in _PLAIN} | instance_keys.as_columns(new_attempt.key)
    conn.execute(sa.insert(attempt).values(**columns, exchanged_at=moment))
    return new_attempt


_BY_POD = sa.select(*(attempt.c[name] for name in (*instance_keys.COLUMNS, *_PLAIN))).where(
    _a.pod_uid == sa.bindparam("pod")
)
