"""
The errors of calls to the Kubernetes API; each says what its caller does about it.

    KubernetesError
    |-- NotFound      the object does not exist (404, 410): decide anew
    |-- Conflict      the name is taken (409): look whose object it is
    |-- Invalid       the object is wrong (400, 422): asking again cannot help
    |-- NotAllowed    RBAC, admission or a quota refused (401, 403): wait, and say who refused and why
    `-- Busy          the API is overloaded, broken or away (429, 5xx, no answer): ask again
"""

import msgspec


class KubernetesError(Exception):
    """The root. ``status`` is the HTTP status, 0 without an answer; the text is the API server's own message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class NotFound(KubernetesError):
    """404 or 410."""


class Conflict(KubernetesError):
    """409."""


class Invalid(KubernetesError):
    """400 or 422."""


class NotAllowed(KubernetesError):
    """401 or 403."""


class Busy(KubernetesError):
    """429, 5xx, or no answer."""


_BY_STATUS: dict[int, type[KubernetesError]] = {
    400: Invalid, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 410: NotFound, 422: Invalid,
    429: Busy,
}  # fmt: skip


class _Status(msgspec.Struct, frozen=True):
    message: str = ""


def of_answer(status: int, body: bytes) -> KubernetesError:
    """Returns the error that an HTTP answer stands for. Its text is the message of the API server's ``Status``."""
    try:
        message = msgspec.json.decode(body, type=_Status).message
    except msgspec.MsgspecError:
        message = ""
    if not message:
        text = " ".join(body[:500].decode("utf-8", "replace").split())
        message = f"the API server answers {status}" + (f": {text}" if text else "")
    return _BY_STATUS.get(status, Busy if status >= 500 else Invalid)(status, message)
