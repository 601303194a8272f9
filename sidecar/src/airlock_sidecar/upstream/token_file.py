"""
A token that somebody else mints and keeps in a Secret: read at the start, and again when the server refuses it.

Where a real Airflow owns the task instance its executor mints the token, and renews the Secret until the runner has
connected; a kubelet brings the new one into the mounted file within a minute or two. So a refused token is waited with
until the file holds another, for a bounded time. Once the launch runs, the server's own answers bring fresh tokens
(``api.REFRESHED_TOKEN``), and the file is only what is left to try.
"""

import threading
import time
from collections.abc import Callable

from airlock_sidecar import errors
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream.token import MAX_TOKEN_BYTES, Token

#: The file is small, in memory, and read by nobody else.
_LOOK_AGAIN_SECONDS = 0.5


class TokenFile:
    """
    Keeps ``token`` good. ``generation`` counts the tokens, so that of several threads whose token is refused one waits
    for another; ``say`` is told once that it waits. ``wait_seconds`` is how long for each token.
    """

    def __init__(
        self, file: str, launch: Launch, token: Token, say: Callable[[str], None], *, wait_seconds: float
    ) -> None:
        self._file = file
        self._launch = launch
        self._token = token
        self._say = say
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        #: What the file held when it was last taken: the server may have given a successor since.
        self._taken = ""
        self._gives_up_at = 0.0
        self.generation = 0

    def begin(self) -> None:
        """
        The first token, unless an earlier start of this sidecar has left one. A file without one is said, and waited
        for when the server has refused what there is.
        """
        if self._launch.memory.token:
            return
        try:
            self._take(read(self._file))
        except (OSError, ValueError) as e:
            self._say(f"there is no token yet: {e}")

    def renew(self, refused: int, until: threading.Event) -> None:
        """
        Another token than that of generation ``refused``. Raises errors.Denied where none came in time, errors.GaveUp
        once ``until`` is set.
        """
        with self._lock:
            if self.generation != refused:
                return
            if not self._gives_up_at:
                self._gives_up_at = time.monotonic() + self._wait_seconds
                self._say(f"the server refused the task's token; waiting up to {self._wait_seconds:g} s for another")
            while (value := self._other()) is None:
                left = self._gives_up_at - time.monotonic()
                if left <= 0:
                    text = f"the server refused the task's token, and no other came within {self._wait_seconds:g} s"
                    raise errors.Denied(401, {"reason": "TokenExpired", "message": text})
                if until.wait(min(left, _LOOK_AGAIN_SECONDS)):
                    raise errors.GaveUp("the wait for another token")
            self._take(value)

    def _take(self, value: str) -> None:
        self._taken = value
        self._token.swap(value)
        self._gives_up_at = 0.0
        self.generation += 1

    def _other(self) -> str | None:
        """Returns what the file holds, where it was not tried yet."""
        try:
            value = read(self._file)
        except (OSError, ValueError):
            return None
        return value if value not in (self._taken, self._launch.memory.token) else None


def read(file: str) -> str:
    """
    Returns the token that a mounted file holds now, as a kubelet may replace it; raises OSError, ValueError for none.
    """
    with open(file, encoding="ascii") as stream:
        value = stream.read(MAX_TOKEN_BYTES + 1).strip()
    if not value or len(value) > MAX_TOKEN_BYTES or not value.isprintable():
        raise ValueError(f"{file} holds no token")
    return value
