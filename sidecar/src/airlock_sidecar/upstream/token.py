"""The task's token: an opaque string that is replaced when the server sends a fresh one, and never shown."""

import os
import threading
from collections.abc import Callable

#: A JWT is under a kilobyte; a text longer than this is not a token.
MAX_TOKEN_BYTES = 16384


class Token:
    """The current token. It has no readable representation, so no log line and no traceback can hold it."""

    def __init__(self, value: str, keep: Callable[[str], None]) -> None:
        self._value = value
        self._keep = keep
        self._lock = threading.Lock()

    def header(self) -> str:
        """Returns the value of the Authorization header."""
        with self._lock:
            return f"Bearer {self._value}"

    def swap(self, fresh: str) -> None:
        """Writes ``fresh`` to the journal, and uses it from then on."""
        with self._lock:
            if fresh and fresh != self._value and len(fresh) <= MAX_TOKEN_BYTES and fresh.isascii():
                self._keep(fresh)
                self._value = fresh

    def __repr__(self) -> str:
        return "Token(***)"


def read_pipe(fd: int) -> str:
    """
    Returns the token that the parent wrote into the pipe before it closed it; raises ValueError if the pipe is empty.
    """
    data = b""
    while len(data) <= MAX_TOKEN_BYTES and (piece := os.read(fd, MAX_TOKEN_BYTES)):
        data += piece
    os.close(fd)
    value = data.decode("ascii", "replace").strip()
    if not value or len(data) > MAX_TOKEN_BYTES:
        raise ValueError("no token came through the pipe")
    return value


def read_file(file: str) -> str:
    """
    Reads the current token of a mounted file, which a kubelet may replace; raises OSError, or ValueError if it is
    empty.
    """
    with open(file, encoding="ascii") as stream:
        value = stream.read(MAX_TOKEN_BYTES + 1).strip()
    if not value or len(value) > MAX_TOKEN_BYTES or not value.isprintable():
        raise ValueError(f"{file} holds no token")
    return value
