"""DAG runs."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airlock_server.store.run_keys import run_id_of
from airlock_server.store.schema import dag_run


def make_manual(
    conn: sa.Connection,
    *,
    dag_id: str,
    run_id: str,
    conf: dict[str, Any] | None,
    now: datetime,
    namespace: str | None = None,
) -> None:
    """Makes a DAG run by request, for a TaskRun in ``namespace``; it starts now, and all its dates are now."""
    conn.execute(
        sa.insert(dag_run).values(
            dag_id=dag_id,
            run_id=run_id,
            run_type="manual",
            state="running",
            logical_date=now,
            data_interval_start=now,
            data_interval_end=now,
            run_after=now,
            start_date=now,
            conf=conf or {},
            namespace=namespace,
        )
    )


def exists(conn: sa.Connection, dag_id: str, run_id: str) -> bool:
    """Tells whether the DAG run exists."""
    query = sa.select(dag_run.c.run_id).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
    return conn.execute(query).one_or_none() is not None


def state_of(conn: sa.Connection, dag_id: str, run_id: str) -> str | None:
    """Returns the DAG run's state; None if it does not exist."""
    state: str | None = conn.scalar(
        sa.select(dag_run.c.state).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
    )
    return state


def namespace_of(conn: sa.Connection, dag_id: str, run_id: str) -> str | None:
    """Returns the namespace whose TaskRuns made it; None for the scheduler's own, and for one that does not exist."""
    query = sa.select(dag_run.c.namespace).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
    namespace: str | None = conn.scalar(query)
    return namespace


def partition_key_of(conn: sa.Connection, dag_id: str, run_id: str) -> str | None:
    """Returns the DAG run's partition key."""
    query = sa.select(dag_run.c.partition_key).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
    partition_key: str | None = conn.scalar(query)
    return partition_key


def as_wire(conn: sa.Connection, dag_id: str, run_id: str) -> dict[str, Any]:
    """Returns the DAG run as the Execution API shows it to a task; every key is there."""
    row = conn.execute(sa.select(dag_run).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)).one()
    fields = dict(row._mapping)  # noqa: SLF001 - a row as a map
    del fields["namespace"]
    fields["run_id"] = run_id_of(run_id)
    # Only a scheduler makes DAG runs of asset events, and teams; a runner refuses a DAG run without the list of events.
    return {**fields, "consumed_asset_events": [], "team_name": None}
