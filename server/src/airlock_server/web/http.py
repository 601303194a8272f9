"""
A request and a response of the API, between ASGI and the routes.

The path is split before it is unescaped, so that an escaped slash stays inside its part.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = (b"content-type", b"application/json")

encode = msgspec.json.Encoder().encode


class Request:
    """
    A request whose body has been read. ``parts`` are the path's; ``path`` are its named ones and ``route`` is the
    pattern once it is routed.
    """

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: Mapping[str, str] = {}
        self.route = ""
        self.body = b""
        self._scope = scope

    @cached_property
    def parts(self) -> list[str]:
        """The path's parts, unescaped; the first one follows the leading slash."""
        raw: bytes = self._scope.get("raw_path") or self._scope["path"].encode()
        return [unquote(part) for part in raw.partition(b"?")[0].decode("latin-1").split("/")[1:]]

    @property
    def target(self) -> str:
        """The path as a whole."""
        return str(self._scope["path"])

    @property
    def address(self) -> str:
        """The client's address, empty if it is unknown."""
        client = self._scope.get("client")
        return str(client[0]) if client else ""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query; for a name given twice, the last value."""
        return dict(parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def listed(self, name: str) -> list[str]:
        """Returns all values that the query gives for a name."""
        pairs = parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return [value for each, value in pairs if each == name]

    @property
    def content_type(self) -> str:
        """The header, empty where it is absent."""
        return self.headers.get(b"content-type", b"").decode("latin-1")


class Response(msgspec.Struct, frozen=True):
    """A status, the body's bytes and headers beyond those every answer has."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


def as_json(value: Any, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    """Returns a response with ``value`` as JSON."""
    return Response(status, encode(value), (JSON, *headers))


NO_CONTENT = Response(204)
