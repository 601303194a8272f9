"""
Answers that are refusals.

* Refused            any of them: a status and FastAPI's ``detail``
  x InvalidRequest   422, ``detail`` being a list that names the place
"""

from typing import Any

import msgspec


class Refused(Exception):
    """The request is answered with ``status`` and ``detail``, a text or a map with a reason and a message."""

    def __init__(self, status: int, detail: Any, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.headers = headers


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a request: what kind, where (``["body", "pid"]``), in words, and what was there."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any = None


class InvalidRequest(Refused):
    """The request's header, path, query or body is not what the route takes."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(422, [problem])


def refused(status: int, reason: str, message: str, **fields: Any) -> Refused:
    """A refusal whose detail carries a reason for programs and a message for people."""
    return Refused(status, {"reason": reason, "message": message, **fields})
