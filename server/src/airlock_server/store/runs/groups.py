"""The tasks of a DAG's task group."""

import sqlalchemy as sa

from airlock_server.store.runs import dags
from airlock_server.store.schema import dag_run, task_instance

_t, _r = task_instance.c, dag_run.c


def tasks_of(conn: sa.Connection, dag_id: str, group_id: str, namespace: str | None) -> list[str] | None:
    """
    Returns the ids of a group's tasks, None if the DAG does not have the group.

    While a DAG's groups are not known, a group has the tasks that are named after it and have run in the namespace: a
    group puts its id and a dot before the names of its tasks unless its author says otherwise.
    """
    dag = dags.get(conn, dag_id, namespace)
    if dag is None:
        return None
    if dag.facts.task_groups is not None:
        return dag.facts.task_groups.get(group_id)
    joined = task_instance.join(dag_run, sa.and_(_t.dag_id == _r.dag_id, _t.run_id == _r.run_id))
    named = sa.select(_t.task_id).select_from(joined).where(_t.dag_id == dag_id)
    named = named.where(_t.task_id.startswith(f"{group_id}.", autoescape=True))
    if namespace is not None:
        named = named.where(_r.namespace == namespace)
    return sorted(set(conn.scalars(named))) or None
