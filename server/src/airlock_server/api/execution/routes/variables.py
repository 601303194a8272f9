"""Variables. Any execution token opens them, as in Airflow; if grants are on, a pod's only reads granted ones."""

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import EXECUTION_OR_LOOKUP, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.secrets.backend import Variable
from airlock_server.secrets.lookup import Stored
from airlock_server.store import variables as store
from airlock_server.store.schema import MAX_VARIABLE_CHARS
from airlock_server.web.errors import InvalidRequest, Problem, refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import decode, integer, named

_MAX_KEYS = 10_000


class VariableBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variable's new value. ``value`` is the older spelling of ``val``."""

    val: str | msgspec.UnsetType | None = msgspec.UNSET
    value: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | None = None


_body = msgspec.json.Decoder(VariableBody)


async def keys(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the names of the variables."""
    prefix = request.query.get("prefix")
    limit = integer(request.query, "limit", low=1, high=_MAX_KEYS)
    offset = integer(request.query, "offset", low=0) or 0

    def look(conn: sa.Connection) -> tuple[list[str], int]:
        patterns = grants.granted(services, request.door, conn, "variable")
        return store.keys(conn, prefix, limit or 1000, offset, patterns)

    names, total = await request.door.aread(look)
    return as_json({"keys": names, "total_entries": total})


async def get(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with one variable."""
    key = named(request.path, "variable_key")

    def look(conn: sa.Connection) -> Stored[Variable]:
        grants.check_read(services, request.door, conn, "variable", key)
        return services.secrets.stored(lambda: _stored(conn, services, key))

    # The grant comes first: nothing else is asked before it.
    variable = await services.secrets.variable(key, await request.door.point(look))
    if variable is None:
        raise refused(404, "not_found", f"Variable with key '{key}' not found")
    return as_json({"key": key, "value": variable.value})


def _stored(conn: sa.Connection, services: Services, key: str) -> Variable | None:
    there, value = store.get(conn, services.encryption, key)
    return Variable(value) if there else None


async def put(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Makes or replaces a variable."""
    key = named(request.path, "variable_key", MAX_VARIABLE_CHARS)
    payload = decode(_body, request.body, request.content_type)
    value = payload.value if payload.val is msgspec.UNSET else payload.val
    if msgspec.UNSET not in (payload.val, payload.value):
        raise InvalidRequest(
            Problem("extra_forbidden", ["body", "value"], "It is another name of val: give one of them")
        )
    if value is msgspec.UNSET:
        raise InvalidRequest(Problem("missing", ["body", "val"], "Field required"))

    def write(conn: sa.Connection) -> None:
        grants.check_write(services, request.door)
        store.put(conn, services.encryption, key, value, payload.description)

    await request.door.awrite(write)
    services.secrets.note_write("variable", key)
    return as_json({"message": "Variable successfully set"}, 201)


async def delete(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Removes a variable, if it exists."""
    key = named(request.path, "variable_key")

    def write(conn: sa.Connection) -> None:
        grants.check_write(services, request.door)
        store.delete(conn, key)

    await request.door.awrite(write)
    return NO_CONTENT


ROUTES = [
    Route(method="GET", pattern="/variables/keys", handler=keys, scopes=EXECUTION_OR_LOOKUP),
    Route(method="GET", pattern="/variables/{variable_key:path}", handler=get, scopes=EXECUTION_OR_LOOKUP),
    Route(method="PUT", pattern="/variables/{variable_key:path}", handler=put),
    Route(method="DELETE", pattern="/variables/{variable_key:path}", handler=delete),
]
