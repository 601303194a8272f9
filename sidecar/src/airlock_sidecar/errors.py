"""
Everything that can go wrong in the sidecar, and what its caller does about it.

* SidecarError
  x ApiError                the server answered with an error
    + Denied                401, 403: an answer; never look elsewhere. ``of_token``: exchange for another token, where
                            tokens are exchanged; else never retry
    + NotFound              404: an answer, not a fault
    + Conflict              409: this state or this launch is not what the caller believed
    + Gone                  410: this launch is no longer the one that counts
    + Refused               any other 4xx: the request itself was wrong
    + ServerBroken          5xx for long, while the server answers others: waiting does not help
  x Unreachable             one try had no answer: wait and try again
  x GaveUp                  there was no answer, and nobody waits for one any more
  x Unserved                a message that no task is served: answer as Airflow does
  x NotAllowed              a message that this launch may not send: count it, answer with the error
    + NotGranted            its TaskRun's access does not include it: the same, and name the grant
  x RunnerBroke             the rest of the runner's stream cannot be trusted: end that channel
  x LauncherBroke           the launcher sent an invalid hello or control line: close the connection
"""

from typing import Any, Final

#: Stands for the body of an answer that is not JSON.
NO_JSON: Final = object()


class SidecarError(Exception):
    """The root of what the sidecar raises itself."""


class ApiError(SidecarError):
    """
    A status that is not success. ``body`` is the answer's JSON, or NO_JSON, and ``detail`` is the body's ``detail``,
    whatever that is. For an error that the sidecar itself raises, ``body`` has the shape of a server's.
    """

    def __init__(self, status: int, detail: Any, body: Any = ...) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.body = {"detail": detail} if body is ... else body

    @property
    def by_server(self) -> bool:
        """Whether a server of the API answered: an answer that is not JSON comes from a proxy before it."""
        return self.body is not NO_JSON

    @property
    def reason(self) -> str:
        """The machine-readable reason in the body, empty if it has no reason."""
        return str(self.detail.get("reason", "")) if isinstance(self.detail, dict) else ""

    @property
    def words(self) -> str:
        """The body's sentence for people, or else the whole detail."""
        return str(self.detail.get("message") or self.detail) if isinstance(self.detail, dict) else str(self.detail)


class Denied(ApiError):
    """401 or 403."""

    @property
    def of_token(self) -> bool:
        """Whether it is the token that was refused. What policy denies comes with a reason."""
        return self.status == 401 or not self.reason


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409."""


class Gone(ApiError):
    """410."""


class Refused(ApiError):
    """A 4xx that has no class of its own."""


class ServerBroken(ApiError):
    """5xx to this one request, again and again, while heartbeats were answered."""


class Unreachable(SidecarError):
    """
    No answer came. ``arrived`` is False if the request certainly did not reach the server; ``late`` is True if the time
    ran out.
    """

    def __init__(self, why: str, *, arrived: bool, late: bool = False) -> None:
        super().__init__(why)
        self.arrived = arrived
        self.late = late


class GaveUp(SidecarError):
    """The wait for the server was called off."""


class Unserved(SidecarError):
    """A message that only other runners than a task's are served."""


class NotAllowed(SidecarError):
    """The message decodes and is refused. ``kind`` is what the record counts it under."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class NotGranted(NotAllowed):
    """A grant is missing: ``field`` of the TaskRun's ``spec.access``, and ``name``, which must be in it."""

    def __init__(self, text: str, field: str, name: str) -> None:
        super().__init__("not granted", text)
        self.field = field
        self.name = name

    @property
    def shown(self) -> dict[str, Any]:
        """What the runner is told of it: what a server that knew the rule would answer."""
        detail = {"reason": "access_denied", "message": str(self), "missing": {self.field: self.name}}
        return {"status_code": 403, "message": str(self), "detail": {"detail": detail}}


class RunnerBroke(SidecarError):
    """A frame was over every limit, or only half a frame came."""


class LauncherBroke(SidecarError):
    """A line was not a hello or a control line, or did not come from the runner's user."""
