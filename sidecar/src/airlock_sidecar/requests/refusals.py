"""
Turns a refusal of the server into the runner's error. Its shape is that of Airflow's client, because user code may
look into it. Pure.
"""

from http import HTTPStatus
from typing import Any

from airlock_sidecar import errors
from airlock_wire.protocol.messages import ErrorResponse, ErrorType

#: The keys of one entry in the server's list of invalid values.
_PROBLEM = {"loc", "msg", "type"}


def raised(e: errors.ApiError) -> ErrorResponse:
    """Returns the error that the runner raises. Airflow has one error type for all; here a denial has its own."""
    denied = isinstance(e, errors.Denied) and e.by_server
    return ErrorResponse(error=ErrorType.PERMISSION_DENIED if denied else ErrorType.API_SERVER_ERROR, detail=_detail(e))


def denied(e: errors.Denied | errors.NotGranted, names: dict[str, Any]) -> ErrorResponse:
    """Returns the answer that keeps the runner from looking elsewhere. Its detail has the request's own ``names``."""
    if isinstance(e, errors.NotGranted):
        detail = e.shown
    elif e.by_server:
        detail = _detail(e)
    else:
        # The API does not define this reason, but a denial must not make the runner take a weaker source.
        detail = {"status_code": e.status, "message": str(e)}
    return ErrorResponse(error=ErrorType.PERMISSION_DENIED, detail=names | detail)


def _detail(e: errors.ApiError) -> dict[str, Any]:
    if e.by_server:
        return {"status_code": e.status, "message": _message(e.body), "detail": e.body}
    # Airflow's client reports an answer that is not JSON like any failure of HTTP, in the library's words.
    side = "Client" if e.status < 500 else "Server"
    message = f"{side} error '{e.status} {_phrase(e.status)}'"
    return {"status_code": None, "message": message, "exception_type": "HTTPStatusError"}


def _message(body: Any) -> str:
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, str):
        return detail or "Un-parseable error"
    if isinstance(detail, list) and all(isinstance(problem, dict) and problem.keys() >= _PROBLEM for problem in detail):
        return "Remote server returned validation error"
    return "Server returned error"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
