"""Whether the server is up, and whether what it needs is. Open to anybody."""

import sqlalchemy as sa

from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store.errors import Unavailable
from airlock_server.web.http import Response, as_json


async def health(_services: Services, _request: Request, _claims: Claims | None) -> Response:
    """Answers that the server is up."""
    return as_json({"status": "healthy"})


async def ping(services: Services, _request: Request, _claims: Claims | None) -> Response:
    """Answers whether the database answers, and whether the keys of others can be read, if there are any."""
    trusted = services.tokens.trusted
    try:
        await services.db.aread(lambda conn: conn.scalar(sa.select(1)))
    except Unavailable as e:
        return as_json({"ok": [], "failing": {"database": str(e)}}, 500)
    if trusted is None:
        return as_json({"ok": ["database"], "failing": {}})
    if (problem := trusted.problem()) is not None:
        return as_json({"ok": ["database"], "failing": {"jwks": problem}}, 500)
    return as_json({"ok": ["database", "jwks"], "failing": {}})


ROUTES = [
    Route(method="GET", pattern="/health", handler=health, scopes=None),
    Route(method="GET", pattern="/health/ping", handler=ping, scopes=None),
]
