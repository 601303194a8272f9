"""
Reads the token from a mounted Secret: at the start, and again when the server refuses it.

If a real Airflow owns the task instance, its executor mints the token, and renews the Secret until the runner has
connected. A kubelet updates the mounted file within a minute or two. So after a refusal the sidecar waits, for a
bounded time, until the file holds another token. Once the launch runs, the server's answers bring fresh tokens
(``api.REFRESHED_TOKEN``), and the file is only the last resort.
"""

import threading
import time
from collections.abc import Callable

from airlock_sidecar import errors
from airlock_sidecar.state.launch import Launch
from airlock_sidecar.upstream.token import Token, read_file

#: Seconds between two reads of the file, which is small and in memory.
_LOOK_AGAIN_SECONDS = 0.5


class TokenFile:
    """
    Keeps ``token`` valid. ``generation`` counts the tokens, so that only one of several threads whose token was refused
    waits for another. ``say`` is called when it begins to wait. ``wait_seconds`` is the longest wait for each token.
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
        #: The token that was last taken from the file; the server may have sent a newer one since.
        self._last_token = ""
        self._gives_up_at = 0.0
        self.generation = 0

    def begin(self) -> None:
        """
        Gets the first token, unless an earlier start of this sidecar has left one. If the file holds no token, the log
        says so; ``renew`` waits for one once the server has refused a call.
        """
        if self._launch.memory.token:
            return
        try:
            self._take(read_file(self._file))
        except (OSError, ValueError) as e:
            self._say(f"there is no token yet: {e}")

    def renew(self, refused: int, until: threading.Event) -> None:
        """
        Gets a newer token than that of generation ``refused``. Raises errors.Denied if the file does not get one in
        time, errors.GaveUp once ``until`` is set.
        """
        with self._lock:
            if self.generation != refused:
                return
            if not self._gives_up_at:
                self._gives_up_at = time.monotonic() + self._wait_seconds
                self._say(f"the server refused the task's token; waiting up to {self._wait_seconds:g} s for another")
            while (value := self._other()) is None:
                seconds_left = self._gives_up_at - time.monotonic()
                if seconds_left <= 0:
                    text = f"the server refused the task's token, and no other came within {self._wait_seconds:g} s"
                    raise errors.Denied(401, {"reason": "TokenExpired", "message": text})
                if until.wait(min(seconds_left, _LOOK_AGAIN_SECONDS)):
                    raise errors.GaveUp("the wait for another token")
            self._take(value)

    def _take(self, value: str) -> None:
        self._last_token = value
        self._token.swap(value)
        self._gives_up_at = 0.0
        self.generation += 1

    def _other(self) -> str | None:
        """Returns the file's token, if it was not tried yet."""
        try:
            value = read_file(self._file)
        except (OSError, ValueError):
            return None
        return value if value not in (self._last_token, self._launch.memory.token) else None
