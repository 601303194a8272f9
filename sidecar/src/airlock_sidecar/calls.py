"""
Calls that wait: a request to the Execution API tried until there is an answer, or until nobody wants it.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from airlock_sidecar import errors, retries


class Asks(Protocol):
    """What ``api.Api`` does, without importing it: it is loaded after the socket listens."""

    def ask(self, method: str, path: str, query: list[tuple[str, str]], body: bytes | None, timeout: float) -> Any:
        """One try; an answer with ``status``, ``body`` and ``error()``, or errors.Unreachable raised."""


class Calls:
    """
    The API with patience. ``last_good`` says when a heartbeat was last answered (monotonic seconds); ``given_up`` is
    set when the runner is gone, so that nobody waits for an answer any more. ``waiting`` is told, once a call, why one
    has to wait.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self.waiting: Callable[[str], None] = lambda _: None
        self.last_good: Callable[[], float] = lambda: -1e9
        self._api: Asks | None = None
        self._ready = threading.Event()
        self.given_up = threading.Event()

    def provide(self, api: Asks) -> None:
        """Hands over the loaded client; calls made before wait for it."""
        self._api = api
        self._ready.set()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        until: threading.Event | None = None,
        doubtful: Callable[[], None] | None = None,
    ) -> bytes:
        """
        The body of the answer. Raises an errors.ApiError for a 4xx, errors.GaveUp once ``until`` (else
        ``given_up``) is set. ``doubtful`` is called when a try may have arrived though nothing came back.
        """
        stop = until or self.given_up
        tries = late = 0
        first_failed = 0.0
        while True:
            tries += 1
            try:
                answer = self.once(method, path, query, body, retries.timeout(self._timeout, late))
            except errors.Unreachable as e:
                why = str(e)
                late = late + 1 if e.late else 0
                if e.arrived and doubtful is not None:
                    doubtful()
            else:
                if answer.status < 400:
                    return bytes(answer.body)
                error = answer.error()
                first_failed = first_failed or time.monotonic()
                if answer.status < 500 or retries.broken_for_good(
                    tries, alive_meanwhile=self.last_good() > first_failed
                ):
                    raise error
                why = str(error)
                if doubtful is not None:
                    doubtful()
            if tries == retries.SAID_AFTER_TRIES:
                self.waiting(why)
            if stop.wait(retries.delay(tries, random.random())):  # noqa: S311 - jitter, not a secret
                raise errors.GaveUp(f"{method} {path} after {tries} tries")

    def once(
        self, method: str, path: str, query: list[tuple[str, str]] | None, body: bytes | None, timeout: float
    ) -> Any:
        """A single try, for the heartbeat, which has a timer of its own. Raises errors.Unreachable."""
        self._ready.wait()
        assert self._api is not None  # noqa: S101 - set before the event
        return self._api.ask(method, path, query or [], body, timeout)


def segment(value: str) -> str:
    """A value as one segment of a path. Raises ValueError for what a proxy on the way could read as another path."""
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} cannot be part of an address")
    return quote(value, safe="")
