"""
What tasks keep for an asset (AIP-103). Only tasks that declare the asset open these: Airflow opens them to every task.

Values are stored and returned as the JSON text that was sent.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import asset_access
from airlock_server.api.execution.json_text import storable
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Handler, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.store.assets import registry, states
from airlock_server.store.schema import MAX_KEY_CHARS
from airlock_server.web.errors import refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import decode, filled
from airlock_wire.identity import TaskInstanceKey

T = TypeVar("T")
By = Literal["name", "uri"]


class PutBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value."""

    value: msgspec.Raw


_body = msgspec.json.Decoder(PutBody)


class _Of:
    """The four operations on the asset that the query names, by its name or by its URI."""

    def __init__(self, by: By) -> None:
        self._by = by

    async def get(self, services: Services, request: Request, claims: Claims | None) -> Response:
        """Answers with one value."""
        key = filled(request.query, "key")
        look = self._opened(services, request, claims, lambda conn, asset_id, _: states.get(conn, asset_id, key))
        value = await request.door.aread(look)
        if value is None:
            raise refused(404, "not_found", f"Asset state store key {key!r} not found")
        return as_json({"value": msgspec.Raw(value)})

    async def put(self, services: Services, request: Request, claims: Claims | None) -> Response:
        """Makes or replaces a value."""
        key, body = filled(request.query, "key", MAX_KEY_CHARS), decode(_body, request.body, request.content_type)
        value = storable(body.value)
        write = self._opened(
            services, request, claims, lambda conn, asset_id, writer: states.put(conn, asset_id, key, value, writer)
        )
        await request.door.awrite(write)
        return NO_CONTENT

    async def delete(self, services: Services, request: Request, claims: Claims | None) -> Response:
        """Removes a value, if it exists."""
        key = filled(request.query, "key")
        write = self._opened(services, request, claims, lambda conn, asset_id, _: states.delete(conn, asset_id, key))
        await request.door.awrite(write)
        return NO_CONTENT

    async def clear(self, services: Services, request: Request, claims: Claims | None) -> Response:
        """Removes all values of the asset."""
        write = self._opened(services, request, claims, lambda conn, asset_id, _: states.clear(conn, asset_id))
        await request.door.awrite(write)
        return NO_CONTENT

    def _opened(
        self,
        services: Services,
        request: Request,
        claims: Claims | None,
        work: Callable[[sa.Connection, int, TaskInstanceKey], T],
    ) -> Callable[[sa.Connection], T]:
        """Calls ``work`` with the asset's number and the task instance that asks, if the asset is open to it."""
        text = filled(request.query, self._by)

        def look(conn: sa.Connection) -> T:
            row = registry.active(conn, **{self._by: text})
            asset_access.check_granted(services, request.door, conn, text, row)
            if row is None:
                raise refused(404, "not_found", f"Asset with {self._by}={text!r} not found")
            return work(conn, row.id, asset_access.check_state(request.door, conn, claims, row))

        return look


def _routes(by: By) -> list[Route]:
    of = _Of(by)
    rows: list[tuple[str, str, Handler]] = [
        ("GET", "value", of.get),
        ("PUT", "value", of.put),
        ("DELETE", "value", of.delete),
        ("DELETE", "clear", of.clear),
    ]
    return [
        Route(method=method, pattern=f"/store/asset/by-{by}/{end}", handler=handler) for method, end, handler in rows
    ]


ROUTES = [*_routes("name"), *_routes("uri")]
