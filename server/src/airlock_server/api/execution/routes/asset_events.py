"""Asset events, by asset or alias. Any execution token opens them, as in Airflow; if grants are on, granted ones."""

from typing import Any

import sqlalchemy as sa

from airlock_server.api.execution import asset_access
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store.assets import events, registry
from airlock_server.store.assets.events import Window
from airlock_server.web.errors import refused
from airlock_server.web.http import Response, as_json
from airlock_server.web.validation import boolean, integer, moment, required


async def by_asset(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the events of the asset of a name, a URI or both; both must be in the query, one may be empty."""
    name, uri = (required(request.query, each) for each in ("name", "uri"))
    window = _window(request)
    if not name and not uri:
        raise refused(400, "Missing parameter", "name and uri cannot both be None")

    def look(conn: sa.Connection) -> list[dict[str, Any]]:
        row = registry.active(conn, name=name) if name else registry.active(conn, uri=uri)
        if row is not None and uri and row.uri != uri:
            row = None
        asset_access.check_granted(services, request.door, conn, name or uri, row)
        return events.of_asset(conn, name, uri, window)

    return as_json({"asset_events": await request.door.aread(look)})


async def by_alias(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the events that came by an alias."""
    name, window = required(request.query, "name"), _window(request)

    def look(conn: sa.Connection) -> list[dict[str, Any]]:
        asset_access.check_granted(services, request.door, conn, name)
        return events.of_alias(conn, name, window)

    return as_json({"asset_events": await request.door.aread(look)})


def _window(request: Request) -> Window:
    query = request.query
    after, before = (moment(query[name], ["query", name]) if name in query else None for name in ("after", "before"))
    return Window(
        after=after,
        before=before,
        ascending=boolean(query, "ascending") if "ascending" in query else True,
        limit=integer(query, "limit", low=0),
    )


ROUTES = [
    Route(method="GET", pattern="/asset-events/by-asset", handler=by_asset),
    Route(method="GET", pattern="/asset-events/by-asset-alias", handler=by_alias),
]
