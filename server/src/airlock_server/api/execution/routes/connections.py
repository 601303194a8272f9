"""Connections. Any execution token opens them, as in Airflow; if grants are on, a pod's opens only granted ones."""

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import EXECUTION_OR_LOOKUP, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.secrets.lookup import Stored
from airlock_server.store import connections as store
from airlock_server.web.errors import refused
from airlock_server.web.http import Response, as_json


async def get(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with one connection and its secrets: a task can read what it is granted."""
    conn_id = request.path["connection_id"]

    def look(conn: sa.Connection) -> Stored[store.Connection]:
        grants.check_read(services, request.door, conn, "connection", conn_id)
        return services.secrets.stored(lambda: store.get(conn, services.encryption, conn_id))

    # The grant comes first: nothing else is asked before it.
    connection = await services.secrets.connection(conn_id, await request.door.point(look))
    if connection is None:
        raise refused(404, "not_found", f"Connection with ID {conn_id} not found")
    fields = msgspec.structs.asdict(connection)
    del fields["description"]
    return as_json(fields)


ROUTES = [Route(method="GET", pattern="/connections/{connection_id}", handler=get, scopes=EXECUTION_OR_LOOKUP)]
