"""
Checks which assets a task may use. Their state is open to the tasks that declare them (``rules.assets``); everything
about an asset is open to the namespaces that were granted its name, its URI or an alias of it.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.door import Door
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules import assets
from airlock_server.rules.assets import Granted
from airlock_server.store import task_states
from airlock_server.store.assets import declared, registry
from airlock_server.store.assets.registry import Asset
from airlock_server.store.grants import covers
from airlock_server.web.errors import Refused, refused
from airlock_wire.identity import TaskInstanceKey


def granted(services: Services, door: Door, conn: sa.Connection) -> Granted:
    """Returns the function that tells whether the grants open an asset or alias that has these names."""

    def opens(names: Iterable[str]) -> bool:
        patterns = grants.granted(services, door, conn, "asset")
        return patterns is None or any(covers(patterns, name) for name in names)

    return opens


def check_granted(
    services: Services, door: Door, conn: sa.Connection, requested: str, row: Asset | None = None
) -> None:
    """
    Refuses an asset or alias that nobody granted to the task's namespace. ``requested`` is the name or URI in the
    request, ``row`` the asset that has it.
    """
    names = {requested}
    if row is not None:
        names |= {row.name, row.uri, *registry.aliases_of(conn, row.id)}
    if not granted(services, door, conn)(tuple(names)) and door.attempt is not None:
        namespace = door.attempt.namespace
        fix = f"airlock grants add asset {requested} --namespace {namespace}"
        raise _denied(f"The asset {requested!r} is not granted to namespace {namespace!r}; an administrator can: {fix}")


def check_state(door: Door, conn: sa.Connection, claims: Claims | None, row: Asset) -> TaskInstanceKey:
    """Returns the task instance that asks; refuses one that does not have the asset in its inlets or outlets."""
    key = door.attempt.key if door.attempt is not None else task_states.key_of(conn, claims.sub if claims else "")
    if key is None:
        raise _denied("Only a task instance opens the state of an asset, and this token's is not there any more")
    if not assets.opens_state(declared.of_instance(conn, key), row.key, registry.aliases_of(conn, row.id)):
        raise _denied(
            f"The state of asset {row.name!r} is open to tasks that declare it in inlets or outlets, or an alias of it "
            f"in inlets, and task {key.task_id!r} of DAG {key.dag_id!r} does not; add it there, and in a TaskRun to "
            "spec.inlets or spec.outlets"
        )
    return key


def _denied(message: str) -> Refused:
    return refused(403, "access_denied", message)
