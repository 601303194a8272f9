"""
Checks what a launch may do beside its own: read variables and connections and make DAG runs by grant, and read XComs of
its own DAG.
"""

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution.door import Door
from airlock_server.api.services import Services
from airlock_server.store import dag_runs, grants
from airlock_server.store.instance_queries import Selection
from airlock_server.store.run_keys import key_of, run_id_of
from airlock_server.store.xcoms import XComKey
from airlock_server.web.errors import Refused, refused
from airlock_wire.identity import TaskInstanceKey


def granted(services: Services, door: Door, conn: sa.Connection, kind: grants.Kind) -> list[str] | None:
    """Returns the patterns of what the request may read, None if it may read everything."""
    if door.attempt is None or not services.by_grant:
        return None
    return grants.patterns(conn, door.attempt.namespace, kind)


def check_read(services: Services, door: Door, conn: sa.Connection, kind: grants.Kind, name: str) -> None:
    """Refuses a variable or connection that nobody granted to the task's namespace; the refusal names the grant."""
    patterns = granted(services, door, conn, kind)
    if patterns is None or door.attempt is None or grants.covers(patterns, name):
        return
    namespace = door.attempt.namespace
    fix = f"airlock grants add {kind} {name} --namespace {namespace}"
    raise _denied(f"The {kind} {name!r} is not granted to namespace {namespace!r}; an administrator can: {fix}")


def check_write(services: Services, door: Door) -> None:
    """Refuses to change variables, which all namespaces share: a grant is for reading."""
    if door.attempt is not None and services.by_grant:
        raise _denied("A task may not change variables here: grants are for reading, and others may read them too")


def check_trigger(services: Services, door: Door, conn: sa.Connection, dag_id: str) -> None:
    """Refuses to make or clear runs of a DAG that nobody granted to the task's namespace, also of the task's own."""
    patterns = granted(services, door, conn, "dag")
    if patterns is None or door.attempt is None or grants.covers(patterns, dag_id):
        return
    namespace = door.attempt.namespace
    fix = f"airlock grants add dag {dag_id} --namespace {namespace}"
    raise _denied(
        f"Making runs of DAG {dag_id!r} is not granted to namespace {namespace!r}; an administrator can: {fix}"
    )


def namespace(door: Door) -> str | None:
    """Returns the namespace of a pod, whose DAG runs are the only ones it sees; None without a pod."""
    return None if door.attempt is None else door.attempt.namespace


def stored(door: Door, where: XComKey) -> XComKey:
    """Returns where the XComs are that a request names: a pod's run belongs to its namespace."""
    return msgspec.structs.replace(where, run_id=run_key(door, where.run_id))


def run_key(door: Door, run_id: str) -> str:
    """Returns the name in the tables of a run that a request names: a pod's run belongs to its namespace."""
    return key_of(namespace(door), run_id)


def within(door: Door, selection: Selection) -> Selection:
    """Returns a question about task instances or runs, which for a pod is about its own namespace alone."""
    return msgspec.structs.replace(selection, namespace=namespace(door))


def check_xcom_read(door: Door, conn: sa.Connection, where: XComKey, map_index: int | None = None) -> None:
    """Refuses the ``stored`` XComs of another DAG or namespace, and once the launch has ended all but its own."""
    attempt = door.attempt
    if attempt is None:
        return
    key = attempt.key
    if where.dag_id != key.dag_id:
        raise _denied(f"A task reads the XComs of its own DAG, which is {key.dag_id!r} and not {where.dag_id!r}")
    if where.run_id != key.run_id and dag_runs.namespace_of(conn, where.dag_id, where.run_id) != attempt.namespace:
        run_id = run_id_of(where.run_id)
        raise _denied(f"Namespace {attempt.namespace!r} has no run {run_id!r} of DAG {where.dag_id!r}")
    if door.settled:
        check_xcom_write(door, where, key.map_index if map_index is None else map_index)


def check_xcom_write(door: Door, where: XComKey, map_index: int) -> None:
    """Refuses a write to the ``stored`` XComs of another task instance."""
    attempt = door.attempt
    if attempt is None:
        return
    if TaskInstanceKey(where.dag_id, where.run_id, where.task_id, map_index) != attempt.key:
        own = msgspec.structs.replace(attempt.key, run_id=run_id_of(attempt.key.run_id))
        raise _denied(f"A task writes the XComs of its own task instance, which is {own}")


def _denied(message: str) -> Refused:
    return refused(403, "access_denied", message)
