"""
The errors that become a refusal.

* Refused            any of them: a status and FastAPI's ``detail``
  x InvalidRequest   422; ``detail`` is a list that names the place
"""

from typing import Any

import msgspec


class Refused(Exception):
    """
    The request is answered with ``status`` and ``detail``, a text or a map with a reason and a message.

    ``revokes``: the launch that asks is over, so the answer must not carry a new token for its pod.
    """

    def __init__(
        self, status: int, detail: Any, headers: tuple[tuple[bytes, bytes], ...] = (), *, revokes: bool = False
    ) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.headers = headers
        self.revokes = revokes


class Problem(msgspec.Struct, frozen=True):
    """A fault of a request: its kind, its place (``["body", "pid"]``), a sentence, and the value there."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = None


class InvalidRequest(Refused):
    """The request's header, path, query or body is not valid for the route."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(422, [problem])


def refused(status: int, reason: str, message: str, **fields: Any) -> Refused:
    """Returns a refusal whose detail carries a reason for programs and a message for people."""
    return Refused(status, {"reason": reason, "message": message, **fields})


def ended(reason: str, message: str) -> Refused:
    """Returns the refusal for a launch that is over, 410, which also revokes its pod's token."""
    return Refused(410, {"reason": reason, "message": message}, revokes=True)
