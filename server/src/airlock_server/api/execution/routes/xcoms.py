"""
XComs. Any execution token opens them, as in Airflow; a pod's reads those of its own DAG and writes its own.

Values are stored and returned as the JSON text that was sent.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution import grants
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules.fencing import Standing
from airlock_server.store import xcoms as store
from airlock_server.store.schema import MAX_KEY_CHARS
from airlock_server.store.xcoms import XComKey
from airlock_server.web.errors import InvalidRequest, Refused, refused
from airlock_server.web.http import JSON, Response, as_json, encode
from airlock_server.web.validation import boolean, check_content_type, integer, malformed, named, too_deep, whole

#: How many task instances a pushed value may be mapped over.
MAX_MAP_LENGTH = 1024

T = TypeVar("T")

_syntax = msgspec.json.Decoder(msgspec.Raw)


async def get(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with one XCom, by map index or by its place among them."""
    where = _where(request)
    map_index, offset = integer(request.query, "map_index"), integer(request.query, "offset")
    index = -1 if map_index is None else map_index
    prior = boolean(request.query, "include_prior_dates")
    if offset is None and not prior:
        value = await request.door.point(_reading(request, where, lambda conn, at: store.get(conn, at, index), index))
    elif offset is None:
        look = _reading(request, where, lambda conn, at: store.get_newest(conn, at, index), index)
        value = await request.door.aread(look)
    else:
        place = offset
        look = _reading(request, where, lambda conn, at: store.get_at(conn, at, place, include_prior_dates=prior))
        value = await request.door.aread(look)
    if value is None:
        raise _not_found(where, f"map_index={index}" if offset is None else f"offset={offset}")
    # Joined by hand: an encoder would move a value of 10 MB several times, as its buffer grows.
    return Response(200, b"".join((b'{"key":', encode(where.key), b',"value":', value, b"}")), (JSON,))


async def head(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the number of map indexes that have an XCom."""
    where = _where(request)
    if integer(request.query, "map_index") is not None:
        raise refused(400, "invalid_request", "Cannot specify map_index in a HEAD request")
    count = await request.door.aread(_reading(request, where, store.count))
    return Response(200, b"", (JSON, (b"content-range", f"map_indexes {count}".encode())))


async def item(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the value at a place; a negative place counts from the end."""
    where = _where(request)
    offset = whole(request.path["offset"], ["path", "offset"])
    value = await request.door.aread(_reading(request, where, lambda conn, at: store.get_at(conn, at, offset)))
    if value is None:
        raise _not_found(where, f"offset={offset}")
    return Response(200, value, (JSON,))


async def slice_(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the values of a slice, as Python slices a list."""
    where = _where(request)
    start, stop, step = (integer(request.query, name) for name in ("start", "stop", "step"))
    prior = boolean(request.query, "include_prior_dates")
    part = slice(start, stop, step or None)
    look = _reading(request, where, lambda conn, at: store.get_slice(conn, at, part, include_prior_dates=prior))
    values = await request.door.aread(look)
    return Response(200, b"[" + b",".join(values) + b"]", (JSON,))


async def put(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Makes or replaces an XCom. Without a body the value is null, as Airflow's client sends it."""
    where = _where(request)
    named(request.path, "key", MAX_KEY_CHARS)
    map_index, mapped_length = integer(request.query, "map_index"), integer(request.query, "mapped_length")
    dag_result = boolean(request.query, "dag_result")
    value = _checked(request)
    if mapped_length is not None and mapped_length > MAX_MAP_LENGTH:
        message = "pushed value is too large to map as a downstream's dependency"
        raise refused(400, "unmappable_return_value_length", message)
    index = -1 if map_index is None else map_index

    def write(conn: sa.Connection) -> bool:
        at = grants.stored(request.door, where)
        grants.check_xcom_write(request.door, at, index)
        return store.put(conn, at, index, value, dag_result=dag_result, mapped_length=mapped_length)

    if not await request.door.awrite(write):
        raise Refused(404, f"DAG run not found on DAG {where.dag_id!r} with ID {where.run_id!r}")
    return as_json({"message": "XCom successfully set"}, 201)


async def delete(_services: Services, request: Request, _claims: Claims | None) -> Response:
    """Removes an XCom, if it exists."""
    where = _where(request)
    map_index = integer(request.query, "map_index")
    index = -1 if map_index is None else map_index

    def write(conn: sa.Connection) -> None:
        at = grants.stored(request.door, where)
        grants.check_xcom_write(request.door, at, index)
        store.delete(conn, at, index)

    await request.door.awrite(write)
    return as_json({"message": f"XCom with key: {where.key} successfully deleted."})


def _reading(
    request: Request, where: XComKey, read: Callable[[sa.Connection, XComKey], T], map_index: int | None = None
) -> Callable[[sa.Connection], T]:
    """Calls ``read`` with the place of the XComs, after checking that the request may read there."""

    def look(conn: sa.Connection) -> T:
        at = grants.stored(request.door, where)
        grants.check_xcom_read(request.door, conn, at, map_index)
        return read(conn, at)

    return look


def _where(request: Request) -> XComKey:
    named(request.path, "key")
    return XComKey(**{name: request.path[name] for name in XComKey.__struct_fields__})


def _checked(request: Request) -> bytes:
    """Returns the body, known to be JSON in UTF-8."""
    if not request.body:
        return encode(None)
    check_content_type(request.content_type)
    try:
        request.body.decode()
        _syntax.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise InvalidRequest(malformed(e)) from e
    except RecursionError as e:
        raise InvalidRequest(too_deep()) from e
    return request.body


def _not_found(where: XComKey, which: str) -> Refused:
    task = f"task {where.task_id!r} in DAG run {where.run_id!r} of {where.dag_id!r}"
    return refused(404, "not_found", f"XCom with key={where.key!r} {which} not found for {task}")


_XCOM = "/xcoms/{dag_id}/{run_id}/{task_id}/{key:path}"

ROUTES = [
    Route(method="GET", pattern=f"{_XCOM}/item/{{offset}}", handler=item, opens=Standing.SETTLED),
    Route(method="GET", pattern=f"{_XCOM}/slice", handler=slice_, opens=Standing.SETTLED),
    Route(method="GET", pattern=_XCOM, handler=get, opens=Standing.SETTLED),
    Route(method="HEAD", pattern=_XCOM, handler=head, opens=Standing.SETTLED),
    Route(method="POST", pattern=_XCOM, handler=put, opens=Standing.SETTLED),
    Route(method="DELETE", pattern=_XCOM, handler=delete, opens=Standing.SETTLED),
]
