"""Tests of connections. Only the workload token of the test opens these: no task has one."""

from typing import Annotated

import msgspec
import sqlalchemy as sa

from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routing import WORKLOAD, Handler, Route
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules import connection_tests as rules
from airlock_server.rules.connection_tests import ENDED, State
from airlock_server.store.connections import Connection
from airlock_server.store.people import connection_tests as store
from airlock_server.web.errors import InvalidRequest, Problem, refused
from airlock_server.web.http import NO_CONTENT, Response, as_json
from airlock_server.web.validation import decode

MAX_MESSAGE_CHARS = 2000


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a test."""

    state: State
    result_message: Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_CHARS)] | None = None


_result = msgspec.json.Decoder(Result)


async def connection(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Answers with the connection and its secrets, once."""
    test_id = request.path["connection_test_id"]

    def fetch(conn: sa.Connection) -> Connection:
        test = _there(store.get(conn, services.encryption, test_id), test_id)
        if (problem := rules.fetch_problem(test_id, test.state)) is not None:
            raise refused(409, "conflict", problem)
        store.begin(conn, test_id)
        return test.connection

    fields = msgspec.structs.asdict(await request.door.awrite(fetch))
    del fields["description"]
    return as_json(fields)


async def result(services: Services, request: Request, _claims: Claims | None) -> Response:
    """Takes the result, once."""
    test_id = request.path["connection_test_id"]
    body = decode(_result, request.body, request.content_type)
    if body.state not in ENDED:
        message = f"Workers may only report terminal states (success/failed); got {body.state.value!r}"
        raise InvalidRequest(Problem("value_error", ["body", "state"], f"Value error, {message}", body.state.value))

    def write(conn: sa.Connection) -> None:
        test = _there(store.get(conn, services.encryption, test_id), test_id)
        if (problem := rules.result_problem(test_id, test.state)) is not None:
            raise refused(409, "conflict", problem)
        store.end(conn, services.encryption, test_id, body.state, body.result_message)

    await request.door.awrite(write)
    return NO_CONTENT


def _there(test: store.ConnectionTest | None, test_id: str) -> store.ConnectionTest:
    if test is None:
        raise refused(404, "not_found", f"Connection test {test_id} not found")
    return test


def _own(method: str, pattern: str, handler: Handler) -> Route:
    return Route(
        method=method, pattern=pattern, handler=handler, scopes=WORKLOAD, own=True, subject="connection_test_id"
    )


ROUTES = [
    _own("GET", "/connection-tests/{connection_test_id}/connection", connection),
    _own("PATCH", "/connection-tests/{connection_test_id}", result),
]
