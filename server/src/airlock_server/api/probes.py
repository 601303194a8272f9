"""
Serves the exchange of a pod's token, the operator's question and a kubelet's probes, beside the Execution API.

They need no task's token. The probes answer anybody, and their answer only says that the server answers.
"""

from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from airlock_server.api.execution.access import bearer
from airlock_server.api.services import Services
from airlock_server.exchange.admission import STATUS, Reason, Refusal
from airlock_server.store.errors import Unavailable
from airlock_server.web.http import Request, Response, as_json

EXCHANGE_PATH = "/airlock/v1/exchange"
#: What follows it is a pod's UID.
ATTEMPTS_PATH = "/airlock/v1/attempts/"

_MISSING = Refusal(Reason.DENIED, "this server serves no TaskRuns; set AIRLOCK__KUBERNETES__ENABLED to true")


async def exchange(services: Services, request: Request) -> Response:
    """Exchanges a pod's token for its task's."""
    if services.exchange is None:
        return _no(_MISSING)
    try:
        answer = await services.exchange.exchange(bearer(request.headers), request.address)
    except Unavailable as e:
        answer = Refusal(Reason.API_BUSY, f"the database is busy: {e}", retry_after=1)
    services.observer.exchanged(answer.reason if isinstance(answer, Refusal) else "granted")
    return _no(answer) if isinstance(answer, Refusal) else as_json(answer)


async def attempt(services: Services, request: Request) -> Response:
    """Answers the operator's question what is known of a pod's attempt."""
    if services.exchange is None:
        return _no(_MISSING)
    pod_uid = request.target.removeprefix(ATTEMPTS_PATH)
    try:
        answer = await services.exchange.known(bearer(request.headers), request.address, pod_uid)
    except Unavailable as e:
        return _no(Refusal(Reason.API_BUSY, f"the database is busy: {e}", retry_after=1))
    if answer is None:
        return as_json({"reason": "NotFound", "message": f"pod {pod_uid!r} was never given a token"}, 404)
    return _no(answer) if isinstance(answer, Refusal) else as_json(answer)


async def alive(_services: Services, _request: Request) -> Response:
    """Answers that the process is alive."""
    return as_json({"status": "ok"})


async def ready(services: Services, _request: Request) -> Response:
    """Answers whether the database can be read. An absent Kubernetes does not matter: tasks can still be served."""
    try:
        await services.db.aread(lambda conn: conn.scalar(sa.select(1)))
    except Unavailable:
        return as_json({"status": "not ready"}, 503)
    return as_json({"status": "ok"})


Handler = Callable[[Services, Request], Awaitable[Response]]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("POST", EXCHANGE_PATH): exchange,
    ("GET", "/healthz"): alive,
    ("GET", "/readyz"): ready,
}


def handler_of(request: Request) -> Handler | None:
    """Returns what serves a request that is not of the Execution API, and notes the request's route."""
    if request.method == "GET" and request.target.startswith(ATTEMPTS_PATH):
        request.route = ATTEMPTS_PATH + "{pod_uid}"
        return attempt
    handler = HANDLERS.get((request.method, request.target))
    if handler is not None:
        request.route = request.target
    return handler


def _no(no: Refusal) -> Response:
    headers = ((b"retry-after", str(no.retry_after).encode()),) if no.retry_after else ()
    return as_json({"reason": no.reason, "message": no.message}, STATUS[no.reason], headers)
