"""
The server's HTTP as an ASGI application: the Execution API, and beside it the exchange and the probes.

A request goes through version, route, token, body and handler, in this order. Every answer, also a refusal, carries the
headers that clients expect. A body is read only after the token was checked.
"""

import logging
import time

from airlock_server.api import probes
from airlock_server.api.execution import versions
from airlock_server.api.execution.access import Access
from airlock_server.api.execution.door import door
from airlock_server.api.execution.older import serving
from airlock_server.api.execution.request import Request
from airlock_server.api.execution.routes import ROUTES
from airlock_server.api.execution.routing import Router
from airlock_server.api.services import Services
from airlock_server.store.errors import DiskFull, Unavailable, Unstorable
from airlock_server.web.body import ClientGone, read_body
from airlock_server.web.errors import Refused
from airlock_server.web.http import Receive, Response, Scope, Send, as_json

log = logging.getLogger("airlock.api")

MOUNT = "execution"

_CORRELATION = b"correlation-id"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class App:
    """The application; a body over ``max_body_bytes`` is answered with 413."""

    def __init__(self, services: Services, max_body_bytes: int) -> None:
        self._services = services
        self._max_body_bytes = max_body_bytes
        self._changes = {version: serving.newer_than(version) for version in versions.VERSIONS}
        self._routers = {
            version: Router([each for each in ROUTES if serving.serves(changes, (each.method, each.pattern))])
            for version, changes in self._changes.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves an ASGI call, for HTTP only."""
        began, request = time.monotonic(), Request(scope)
        access = Access(self._services.tokens, request.headers)
        try:
            response = await self._answer(request, access, receive)
        except ClientGone:
            return
        except Refused as e:
            if e.revokes:
                access.revoke_pods()
            log.log(
                logging.DEBUG if e.status == 404 else logging.INFO,
                "refused",
                extra={"method": request.method, "path": scope["path"], "status": e.status, "why": _why(e)},
            )
            response = as_json({"detail": e.detail}, e.status, e.headers)
        except Unavailable as e:
            log.error("database unavailable", extra={"path": scope["path"], "error": str(e)})  # noqa: TRY400 - a fact
            why = "'s disk is full; an administrator makes room on it" if isinstance(e, DiskFull) else " is busy"
            response = as_json({"detail": f"The database{why}; try again"}, 503)
        except Unstorable as e:
            log.info("unstorable", extra={"path": scope["path"], "error": str(e)})
            response = as_json({"detail": {"reason": "unstorable", "message": str(e)}}, 422)
        except Exception:  # the process's edge: one request must not end the others
            log.exception("request failed", extra={"method": request.method, "path": scope["path"]})
            response = self._broken(request)
        observer = self._services.observer
        observer.answered(request.method, request.route, response.status, time.monotonic() - began)
        await _send(send, request, response, access.refreshed())

    async def _answer(self, request: Request, access: Access, receive: Receive) -> Response:
        if (handler := probes.handler_of(request)) is not None:
            return await handler(self._services, request)
        version = versions.version_for(request.headers.get(versions.HEADER))
        parts = request.parts
        if not parts or parts[0] != MOUNT:
            raise Refused(404, "Not Found")
        route, request.path = self._routers[version].find(request.method, parts[1:])
        request.route = f"/{MOUNT}{route.pattern}"
        await access.ready()
        claims = access.check(route, request.path)
        request.door = door(self._services.db, claims, route.opens)
        if request.method in _WITH_BODY:
            request.body = await read_body(request, receive, self._max_body_bytes)
        changes, operation = self._changes[version], (route.method, route.pattern)
        if not changes:
            return await route.handler(self._services, request, claims)
        return serving.answer(changes, operation, await route.handler(self._services, request, claims))

    @staticmethod
    def _broken(request: Request) -> Response:
        content = {"message": "Internal server error"}
        if correlation := request.headers.get(_CORRELATION):
            content["correlation-id"] = correlation.decode("latin-1")
        return as_json(content, 500)


def _why(error: Refused) -> str:
    """Returns a refusal's reason for the log, and never what was sent."""
    if isinstance(error.detail, str):
        return error.detail
    if isinstance(error.detail, dict):
        return str(error.detail["reason"])
    return "; ".join(f"{problem.type} at {'.'.join(map(str, problem.loc))}" for problem in error.detail)


async def _send(send: Send, request: Request, response: Response, refreshed: str | None) -> None:
    headers = list(response.headers)
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    headers.append((versions.HEADER, request.headers.get(versions.HEADER, versions.VERSIONS[-1].encode())))
    if correlation := request.headers.get(_CORRELATION):
        headers.append((_CORRELATION, correlation))
    if refreshed is not None:
        headers.append((b"refreshed-api-token", refreshed.encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
