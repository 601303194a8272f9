"""
Limits how often the exchange asks Kubernetes: by a rate for each address, and by remembering refused tokens.

Pure over a clock that the caller reads (seconds, never going back), and bounded in memory. The rate is for an address
and not for a pod: only Kubernetes knows whose a token is. Anybody can write a token that names a pod, and must not use
up that pod's share with it.
"""

import hashlib
from collections import OrderedDict

#: How many addresses and tokens are remembered; the least recently used is forgotten first.
_MAX_REMEMBERED = 4096


class Rate:
    """A bucket of ``burst`` requests for each address, refilled with ``per_second``."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Takes one request from the address's bucket; returns 0, or the seconds until the bucket has one."""
        tokens, at = self._buckets.pop(address, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        allowed = tokens >= 1.0
        self._buckets[address] = (tokens - 1.0 if allowed else tokens, now)
        if len(self._buckets) > _MAX_REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self._per_second


class RefusedTokens:
    """The tokens that Kubernetes did not confirm, kept as digests for ``seconds``, each with its answer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refused: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def add(self, token: str, why: str, now: float) -> None:
        """Remembers a refusal."""
        self._refused[_digest(token)] = (now + self._seconds, why)
        if len(self._refused) > _MAX_REMEMBERED:
            self._refused.popitem(last=False)

    def why(self, token: str, now: float) -> str | None:
        """Returns why this very token was refused lately, None if it was not."""
        key = _digest(token)
        until, why = self._refused.get(key, (0.0, ""))
        if until > now:
            return why
        self._refused.pop(key, None)
        return None


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=16).digest()
