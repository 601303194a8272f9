"""
The errors of calls to the API server; each says what its caller does about it.

    KubernetesError
    |-- Gone          the object does not exist (404), or another has its name now: decide anew
    |-- Conflict      somebody wrote first, or the name is taken (409): read again, decide anew
    |-- Invalid       the object is wrong (400, 422): asking again cannot help
    |-- NotAllowed    admission, RBAC or a quota refused (403): wait, and say who refused and why
    `-- Busy          the API server is overloaded, broken or away (429, 5xx, no answer): wait
"""

import json


class KubernetesError(Exception):
    """The root. ``status`` is the HTTP status, 0 without an answer; the text is the API server's own message."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class NotFound(KubernetesError):
    """404, or a precondition on the UID that failed."""


class Conflict(KubernetesError):
    """409."""


class Invalid(KubernetesError):
    """400 or 422."""


class NotAllowed(KubernetesError):
    """401 or 403."""

    @property
    def by_quota(self) -> bool:
        """Whether a ResourceQuota refused it: only such a refusal can end by itself."""
        return "exceeded quota" in str(self)


class Busy(KubernetesError):
    """429, 5xx, or no answer."""


_BY_STATUS: dict[int, type[KubernetesError]] = {
    400: Invalid, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 410: NotFound, 422: Invalid,
    429: Busy,
}  # fmt: skip


def of_answer(status: int, body: str, retry_after: str = "") -> KubernetesError:
    """
    Returns the error that an HTTP answer stands for: its status, its body and its ``Retry-After`` header.

    A body of the API's own is a ``Status`` with a message. Its fair queueing, or a load balancer before it, answers in
    plain text, which often does not say that it is about an API server.
    """
    kind = _BY_STATUS.get(status, Busy if status >= 500 else Invalid)
    return kind(status, _message(status, body), float(retry_after) if retry_after.isdigit() else None)


def _message(status: int, body: str) -> str:
    try:
        message = json.loads(body).get("message")
    except (ValueError, AttributeError):
        message = None
    if message:
        return str(message)
    text = " ".join(body[:500].split())
    return f"the API server answers {status}" + (f": {text}" if text else "")
