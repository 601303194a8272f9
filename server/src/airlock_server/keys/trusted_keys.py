"""
The public keys of others whose tokens are valid here: a JSON Web Key Set, at a URL or in a file.

It is read at the first token, again when it is old, and when a token names a key that is not in it. It is not read more
often than once in ``RETRY_SECONDS``, whatever the tokens say. A reading that fails leaves the keys as they were.
"""

import asyncio
import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from airlock_server.keys import public_keys
from airlock_server.keys.public_keys import PublicKey
from airlock_wire.process.settings import SettingsError

log = logging.getLogger("airlock.jwks")

#: Seconds between two readings, at least.
RETRY_SECONDS = 10.0
#: Seconds that a server of keys has for its answer.
FETCH_SECONDS = 5.0
#: Bytes of a set of keys, at most.
MAX_BYTES = 256 * 1024
#: After so many times the age at which they are read again, the keys are too old for a healthy server.
_UNHEALTHY = 3

Read = Callable[[], bytes]


class TrustedKeys:
    """Keys of ``source``, which are read again after ``refresh_seconds``."""

    def __init__(
        self, source: str, refresh_seconds: float, read: Read | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._refresh_seconds = source, refresh_seconds
        self._read = read or _reader(source)
        self._clock = clock
        self._keys: dict[str, PublicKey] = {}
        self._read_at: float | None = None
        self._attempted_at: float | None = None
        self._lock = threading.Lock()

    def get(self, kid: str) -> PublicKey | None:
        """Returns the key of this name among those that were read."""
        return self._keys.get(kid)

    async def ready(self, kid: str) -> None:
        """Reads the keys beside the event loop, if they are old or lack this one."""
        if self._due(kid):
            await asyncio.to_thread(self.refresh, kid)

    def refresh(self, kid: str) -> None:
        """Reads the keys now, unless another call has just done so. Blocks."""
        with self._lock:
            if not self._due(kid):
                return
            self._attempted_at = self._clock()
            try:
                self._keys = public_keys.read_set(self._read())
            except (OSError, ValueError) as e:
                log.warning("keys cannot be read", extra={"source": self._source, "error": str(e)})
                return
            self._read_at = self._clock()
            log.info("keys read", extra={"source": self._source, "keys": len(self._keys)})

    def problem(self) -> str | None:
        """Returns why the keys are not what they should be; None if they are. Before the first token they are."""
        if self._attempted_at is None:
            return None
        if self._read_at is None:
            return f"the keys at {self._source} were never read"
        age = self._clock() - self._read_at
        return f"the keys at {self._source} are {age:.0f} s old" if age > _UNHEALTHY * self._refresh_seconds else None

    def _due(self, kid: str) -> bool:
        now = self._clock()
        if self._attempted_at is not None and now - self._attempted_at < RETRY_SECONDS:
            return False
        return kid not in self._keys or self._read_at is None or now - self._read_at > self._refresh_seconds


def _reader(source: str) -> Read:
    scheme, separator, _ = source.partition("://")
    if not separator:
        return lambda: _bounded(Path(source).read_bytes())
    if scheme not in ("https", "http"):
        raise SettingsError(f"[jwt] jwks begins with {scheme}://; use https://, http:// or the path of a file")

    def fetch() -> bytes:
        request = urllib.request.Request(source, headers={"accept": "application/json"})  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - checked above
            return _bounded(answer.read(MAX_BYTES + 1))

    return fetch


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return data
