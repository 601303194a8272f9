"""Assets, by name, URI or alias. Any execution token opens them, as in Airflow; if grants are on, granted ones."""

from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import asset_access
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules.fencing import Standing
from airlock_server.store import task_states
from airlock_server.store.assets import declared, registry
from airlock_server.web.errors import refused
from airlock_server.web.http import Response, as_json
from airlock_server.web.validation import required


async def by_name(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the active asset of a name."""
    return await _one(services, request, name=required(request.query, "name"))


async def by_uri(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the active asset of a URI."""
    return await _one(services, request, uri=required(request.query, "uri"))


async def by_alias(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the assets of an alias; none for an alias that is not known."""
    alias = required(request.query, "alias_name")

    def look(conn: sa.Connection) -> list[dict[str, Any]]:
        asset_access.check_granted(services, request.door, conn, alias)
        return [row.as_wire() for row in registry.of_alias(conn, alias)]

    return as_json(await request.door.aread(look))


async def inactive(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with those inlets and outlets of the task instance that are not active."""

    def look(conn: sa.Connection) -> list[dict[str, Any]]:
        key = task_states.key_of(conn, request.path["task_instance_id"])
        if key is None:
            raise refused(404, "not_found", "Task Instance not found")
        return [{**msgspec.to_builtins(each), "type": "Asset"} for each in declared.inactive(conn, key)]

    return as_json({"inactive_assets": await request.door.aread(look)})


async def _one(services: Services, request: Request, *, name: str | None = None, uri: str | None = None) -> Response:
    label, text = ("URI", uri or "") if name is None else ("name", name)

    def look(conn: sa.Connection) -> dict[str, Any]:
        row = registry.active(conn, name=name, uri=uri)
        asset_access.check_granted(services, request.door, conn, text, row)
        if row is None:
            raise refused(404, "not_found", f"Asset with {label} {text} not found")
        return row.as_wire()

    return as_json(await request.door.aread(look))


ROUTES = [
    Route(method="GET", pattern="/assets/by-name", handler=by_name),
    Route(method="GET", pattern="/assets/by-uri", handler=by_uri),
    Route(method="GET", pattern="/assets/by-alias", handler=by_alias),
    Route(
        method="GET",
        pattern="/task-instances/{task_instance_id}/validate-inlets-and-outlets",
        handler=inactive,
        own=True,
        opens=Standing.SETTLED,
    ),
]
