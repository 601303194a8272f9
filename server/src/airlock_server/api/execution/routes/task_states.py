"""
What tasks keep between tries (AIP-103). Only the token of the task instance opens these, whichever of its tries asks.

Values are stored and returned as the JSON text that was sent.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution.json_text import storable
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Handler, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules.fencing import Standing
from airlock_server.store import task_states as store
from airlock_server.store.schema import MAX_KEY_CHARS
from airlock_server.web.errors import refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import decode, named
from airlock_wire.identity import TaskInstanceKey

T = TypeVar("T")


class PutBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value, and until when it is kept; without a time it stays."""

    value: msgspec.Raw
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


_body = msgspec.json.Decoder(PutBody)


async def get(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with one value."""
    key = named(request.path, "key")
    value = await request.door.point(_of_owner(request, lambda conn, owner: store.get(conn, owner, key)))
    if value is None:
        raise refused(404, "not_found", f"Task state store key {key!r} not found")
    return as_json({"value": msgspec.Raw(value)})


async def put(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Makes or replaces a value."""
    key, body = named(request.path, "key", MAX_KEY_CHARS), decode(_body, request.body, request.content_type)
    value = storable(body.value)
    await request.door.awrite(
        _of_owner(request, lambda conn, owner: store.put(conn, owner, key, value, body.expires_at))
    )
    return NO_CONTENT


async def delete(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Removes a value, if it exists."""
    key = named(request.path, "key")
    await request.door.awrite(_of_owner(request, lambda conn, owner: store.delete(conn, owner, key)))
    return NO_CONTENT


async def clear(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Removes all values of the task instance."""
    await request.door.awrite(_of_owner(request, store.clear))
    return NO_CONTENT


async def clear_all(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """
    Removes all values of the task's instances in this DAG run, of every map index.

    Airflow has no such operation, and would ignore a parameter of ``clear``. So it has a path of its own, which a real
    Airflow refuses, and no author is told that more was cleared than was.
    """
    await request.door.awrite(_of_owner(request, store.clear_all_map_indexes))
    return NO_CONTENT


def _of_owner(request: Request, work: Callable[[sa.Connection, TaskInstanceKey], T]) -> Callable[[sa.Connection], T]:
    """Calls ``work`` with the task instance that the path's id has now; a retried one has another id."""

    def look(conn: sa.Connection) -> T:
        owner = store.key_of(conn, request.path["task_instance_id"])
        if owner is None:
            raise refused(404, "not_found", "Task Instance not found")
        return work(conn, owner)

    return look


def _own(method: str, pattern: str, handler: Handler) -> Route:
    return Route(method=method, pattern=pattern, handler=handler, own=True, opens=Standing.SETTLED)


_KEY = "/store/ti/{task_instance_id}/{key:path}"

ROUTES = [
    _own("GET", _KEY, get),
    _own("PUT", _KEY, put),
    _own("DELETE", _KEY, delete),
    _own("DELETE", "/store/ti/{task_instance_id}", clear),
    _own("DELETE", "/store/task/{task_instance_id}", clear_all),
]
