"""
Finds the route for a method and a path: its handler, and the tokens that open it.

A pattern's parts are literal, ``{name}`` for one part, or ``{name:path}`` for one or more, slashes between them.
The first pattern that fits wins, so the literal ones come first.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from airlock_server.api.execution.request import Request
from airlock_server.api.services import Services
from airlock_server.keys.tokens import Claims
from airlock_server.rules.fencing import Standing
from airlock_server.web.errors import Refused
from airlock_server.web.http import Response

Handler = Callable[[Services, Request, Claims | None], Awaitable[Response]]

EXECUTION = frozenset({"execution"})
EXECUTION_OR_WORKLOAD = frozenset({"execution", "workload"})
EXECUTION_OR_LOOKUP = frozenset({"execution", "lookup"})
WORKLOAD = frozenset({"workload"})


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """
    One operation. ``scopes`` None: no token is needed. ``own``: only the token of the path's ``subject`` opens it.
    ``opens``: the last standing of its launch in which a pod's token opens it.
    """

    method: str
    pattern: str
    handler: Handler
    scopes: frozenset[str] | None = EXECUTION
    own: bool = False
    subject: str = "task_instance_id"
    opens: Standing = Standing.CURRENT


class Router:
    """Finds routes by their first part and then in order."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._by_first: dict[str, list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.pattern.strip("/").split("/")
            self._by_first.setdefault(parts[0], []).append((parts, route))

    def find(self, method: str, parts: list[str]) -> tuple[Route, dict[str, str]]:
        """Returns the route and the path's named parts; raises 404, or 405 if only the method is wrong."""
        allowed = set()
        for pattern, route in self._by_first.get(parts[0] if parts else "", ()):
            path = _match(pattern, parts)
            if path is None:
                continue
            if route.method == method:
                return route, path
            allowed.add(route.method)
        if allowed:
            raise Refused(405, "Method Not Allowed", ((b"allow", ", ".join(sorted(allowed)).encode()),))
        raise Refused(404, "Not Found")


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    tail = next((len(pattern) - 1 - i for i, part in enumerate(pattern) if part.endswith(":path}")), None)
    if tail is not None:
        # Everything between the parts before and after it belongs to the part that takes slashes.
        head = len(pattern) - 1 - tail
        if len(parts) < len(pattern):
            return None
        end = len(parts) - tail
        parts = [*parts[:head], "/".join(parts[head:end]), *parts[end:]]
    if len(pattern) != len(parts):
        return None
    values = {}
    for segment, part in zip(pattern, parts, strict=True):
        if segment.startswith("{"):
            values[segment[1:-1].removesuffix(":path")] = part
        elif segment != part:
            return None
    return values
