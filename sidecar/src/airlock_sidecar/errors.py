"""
Everything that can go wrong in the sidecar, and what its caller does about it.

* SidecarError
  x ApiError                the server answered, and the answer was no
    + Denied                401, 403: an answer; never look elsewhere. ``of_token``: exchange for another token, where
                            tokens are exchanged; else never retry
    + NotFound              404: an answer, not a fault
    + Conflict              409: this state or this launch is not what the caller believed
    + Gone                  410: this launch is no longer the one that counts
    + Refused               any other 4xx: the request itself was wrong
    + ServerBroken          5xx for so long, with the server otherwise alive, that waiting is no help
  x Unreachable             nothing came back from one try: wait and try again
  x GaveUp                  nothing came back and nobody waits for the answer any more
  x Unserved                a message that no task is served: answer as Airflow does
  x NotAllowed              a message that this launch may not send: count it, answer with the error
    + NotGranted            its TaskRun's access does not include it: the same, and name the grant
  x RunnerBroke             the runner's stream can be trusted no further: end that channel
  x LauncherBroke           the launcher's hello or control line is none: close that connection
"""

from typing import Any, Final

#: The body of an answer that is no JSON.
NO_JSON: Final = object()


class SidecarError(Exception):
    """The root of what the sidecar raises itself."""


class ApiError(SidecarError):
    """
    A status that is not success. ``detail`` is the body's ``detail``, whatever it was; ``body`` all of it, as JSON, and
    NO_JSON where it was none. Without a body it is what this sidecar says itself, as a server would.
    """

    def __init__(self, status: int, detail: Any, body: Any = ...) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.body = {"detail": detail} if body is ... else body

    @property
    def by_server(self) -> bool:
        """Whether a server of the API said so: what is no JSON comes from something on the way to it."""
        return self.body is not NO_JSON

    @property
    def reason(self) -> str:
        """The machine-readable reason in the body, empty where the server gave none."""
        return str(self.detail.get("reason", "")) if isinstance(self.detail, dict) else ""

    @property
    def words(self) -> str:
        """The sentence for people in the body; the whole detail where there is none."""
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
    Nothing came back. ``arrived`` is False where the request certainly did not reach the server, ``late`` is True
    where the time ran out.
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
    """A grant is missing: ``field`` of the TaskRun's ``spec.access``, and what would have to be in it."""

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
    """A frame over every limit, or half a frame and then silence."""


class LauncherBroke(SidecarError):
    """Not a hello, not a control line, or not from the runner's user."""
