"""DAG runs that tasks make. The scheduler starts a queued run; until then the row is all there is of it."""

from datetime import datetime

import sqlalchemy as sa

from airlock_server.rules.triggering import RUN_TYPE, Existing, Wish
from airlock_server.store.engine.types import now
from airlock_server.store.run_keys import key_of, run_id_of
from airlock_server.store.schema import dag_run, task_instance

_r = dag_run.c


def existing(conn: sa.Connection, wish: Wish, namespace: str | None) -> Existing:
    """Returns the runs of the DAG in the namespace that stand in the way of a new one."""
    run_id = key_of(namespace, wish.run_id)
    same_id = sa.select(_r.run_id).where(_r.dag_id == wish.dag_id, _r.run_id == run_id)
    of_date = None if wish.logical_date is None else _of_date(conn, wish.dag_id, wish.logical_date, namespace)
    return Existing(conn.scalar(same_id) is not None, of_date)


def make(conn: sa.Connection, wish: Wish, namespace: str | None, parent_ti_id: str | None) -> None:
    """
    Makes the queued run. Its data interval is the moment from which it may run: a run by request has no other.

    The person who began the run of the task ``parent_ti_id`` has begun this one too.
    """
    run_after = wish.run_after or now()
    interval = None if wish.logical_date is None else run_after
    conn.execute(
        sa.insert(dag_run).values(
            dag_id=wish.dag_id,
            run_id=key_of(namespace, wish.run_id),
            run_type=RUN_TYPE,
            state="queued",
            logical_date=wish.logical_date,
            data_interval_start=interval,
            data_interval_end=interval,
            run_after=run_after,
            conf=wish.conf,
            note=wish.note,
            partition_key=wish.partition_key,
            triggering_user_name=None if parent_ti_id is None else _user_of(conn, parent_ti_id),
            namespace=namespace,
        )
    )


def _of_date(conn: sa.Connection, dag_id: str, logical_date: datetime, namespace: str | None) -> str | None:
    query = sa.select(_r.run_id).where(_r.dag_id == dag_id, _r.logical_date == logical_date)
    query = query.where(_r.namespace.is_(None) if namespace is None else _r.namespace == namespace)
    run_id: str | None = conn.scalar(query.limit(1))
    return None if run_id is None else run_id_of(run_id)


def _user_of(conn: sa.Connection, ti_id: str) -> str | None:
    _t = task_instance.c
    joined = dag_run.join(task_instance, sa.and_(_t.dag_id == _r.dag_id, _t.run_id == _r.run_id))
    user: str | None = conn.scalar(sa.select(_r.triggering_user_name).select_from(joined).where(_t.id == ti_id))
    return user
