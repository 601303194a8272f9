"""
Sends a request to the Execution API until it is answered, or until nobody waits for the answer.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from airlock_sidecar import errors
from airlock_sidecar.state.task_clock import TaskClock
from airlock_sidecar.upstream import retries
from airlock_sidecar.upstream.outage import Outage

#: The body of a request; a bytearray or a view saves the copy of a large one.
Body = bytes | bytearray | memoryview


class Asks(Protocol):
    """The interface of ``api.Api``, which is imported only after the socket listens."""

    def ask(self, method: str, path: str, query: list[tuple[str, str]], body: Body | None, timeout: float) -> Any:
        """
        Sends a request once; returns an answer with ``status``, ``body`` and ``error()``, or raises errors.Unreachable.
        """


class Renews(Protocol):
    """The interface of ``TokenExchange`` and ``TokenFile``: gets another token after the server refused one."""

    #: The number of tokens so far: a caller that was refused with an older one need not ask for another.
    generation: int

    def renew(self, refused: int, until: threading.Event) -> None:
        """Another token than that of generation ``refused``. Raises errors.ApiError, errors.GaveUp."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

#: How often in a row a refused token is exchanged for another, before the refusal is raised.
RENEWALS = 3


class Calls:
    """
    Calls the API and retries while it is away. ``last_good`` says when a heartbeat was last answered (monotonic
    seconds). ``given_up`` is set when the runner is gone and nobody waits for an answer. ``outage`` is told the outcome
    of every try, and ``clock`` of every request.
    """

    def __init__(self, timeout_seconds: float, clock: TaskClock | None = None) -> None:
        self._timeout = timeout_seconds
        self.clock = clock or TaskClock()
        self.outage = Outage()
        self.last_good: Callable[[], float] = lambda: -1e9
        self._api: Asks | None = None
        self._renewal: Renews | None = None
        self._later: Callable[[], None] | None = None
        self._ready = threading.Event()
        self.given_up = threading.Event()

    def provide(self, api: Asks, renewal: Renews | None = None) -> None:
        """Sets the loaded client and the renewal of its token; earlier calls wait for them."""
        self._api, self._renewal = api, renewal
        self._ready.set()

    def provide_later(self, connect: Callable[[], None]) -> None:
        """Has ``connect`` provide the client at the first call: most launches of some modes make none."""
        self._later = connect

    def call(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Body | None = None,
        until: threading.Event | None = None,
        doubtful: Callable[[], None] | None = None,
    ) -> bytes:
        """Returns the body of the answer; raises as ``answer`` does."""
        return bytes(self.answer(method, path, query=query, body=body, until=until, doubtful=doubtful).body)

    def answer(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: Body | None = None,
        until: threading.Event | None = None,
        doubtful: Callable[[], None] | None = None,
    ) -> Any:
        """
        Returns the answer, as ``api.Answer``. Raises errors.ApiError for a 4xx, errors.GaveUp once ``until`` (by
        default ``given_up``) is set. ``doubtful`` is called if a try may have arrived without an answer.
        """
        if self._later is not None:
            connect, self._later = self._later, None
            connect()
        at_fault = False
        self.clock.ask()
        try:
            return self._answer(method, path, query, body, until or self.given_up, doubtful)
        except errors.ServerBroken:
            at_fault = True
            raise
        finally:
            self.clock.answer(at_fault=at_fault)

    def _answer(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None,
        body: Body | None,
        stop: threading.Event,
        doubtful: Callable[[], None] | None,
    ) -> Any:
        tries = late = 0
        first_failed = 0.0
        while True:
            tries += 1
            try:
                seconds = retries.timeout(self._timeout, late)
                answer = self.ask_with_renewal(method, path, query, body, seconds, stop, self.clock.fail)
            except errors.Unreachable as e:
                late = late + 1 if e.late else 0
                if e.arrived and doubtful is not None:
                    doubtful()
            else:
                if answer.status < 400:
                    return answer
                error = answer.error()
                first_failed = first_failed or time.monotonic()
                if answer.status < 500 or retries.broken_for_good(
                    tries, alive_meanwhile=self.last_good() > first_failed
                ):
                    raise error
                if doubtful is not None:
                    doubtful()
            self.clock.fail()
            if stop.wait(retries.delay(tries)):
                raise errors.GaveUp(f"{method} {path} after {tries} tries")

    def ask_with_renewal(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None,
        body: Body | None,
        timeout: float,
        until: threading.Event,
        waits: Callable[[], None] = lambda: None,
    ) -> Any:
        """
        Sends a request, and sends it again with a new token, up to RENEWALS times, while the server refuses the token.
        ``waits`` is called before each wait for a token.

        It does not wait for a server that is away, so the heartbeat uses it with a timer of its own. Raises
        errors.Unreachable. If the token cannot be exchanged it raises the exchange's errors.ApiError, or errors.GaveUp
        once ``until`` is set.
        """
        self._ready.wait()
        for _ in range(RENEWALS):
            generation = self._renewal.generation if self._renewal is not None else 0
            answer = self._ask(method, path, query or [], body, timeout)
            if self._renewal is None or not _token_refused(answer):
                return answer
            waits()
            self._renewal.renew(generation, until)
        return self._ask(method, path, query or [], body, timeout)

    def _ask(self, method: str, path: str, query: list[tuple[str, str]], body: Body | None, timeout: float) -> Any:
        assert self._api is not None  # noqa: S101 - set before the event that the caller waited for
        try:
            answer = self._api.ask(method, path, query, body, timeout)
        except errors.Unreachable as e:
            self.outage.failed(str(e))
            raise
        if answer.status >= 500:
            self.outage.failed(str(answer.error()))
        else:
            self.outage.answered()
        return answer


def _token_refused(answer: Any) -> bool:
    if answer.status not in (401, 403):
        return False
    error = answer.error()
    return isinstance(error, errors.Denied) and error.of_token


def segment(value: str) -> str:
    """
    Returns a value as one segment of a path. Raises ValueError for a value that a proxy or a server could read as
    another path once the quoting is undone: one or two dots between slashes, or a control character.
    """
    if not value or _CONTROL.search(value) or any(part in (".", "..") for part in value.split("/")):
        raise ValueError(f"{value[:250]!r} cannot be part of an address")
    return quote(value, safe="")
