"""
What keeps questions from becoming load on Kubernetes: a rate for each address, and a memory of refused tokens.

Pure over a clock that the caller reads (seconds, never going back), and bounded in memory. The rate is for an address
and not for a pod: whose the token is, is only known after Kubernetes was asked, and a token that anybody can write must
not use up the share of the pod that it names.
"""

import hashlib
from collections import OrderedDict

#: Addresses and tokens remembered at most; the one that was looked at longest ago is forgotten first.
_MAX_REMEMBERED = 4096


class Rate:
    """A bucket of ``burst`` questions for each address, refilled with ``per_second``."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Takes one question out of the address's bucket: 0, or the seconds until there is one to take."""
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        allowed = left >= 1.0
        self._buckets[address] = (left - 1.0 if allowed else left, now)
        if len(self._buckets) > _MAX_REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._per_second


class RefusedTokens:
    """The tokens that Kubernetes did not vouch for, kept as digests for ``seconds``, each with what was answered."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refused: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def add(self, token: str, why: str, now: float) -> None:
        """Remembers a refusal."""
        self._refused[_digest(token)] = (now + self._seconds, why)
        if len(self._refused) > _MAX_REMEMBERED:
            self._refused.popitem(last=False)

    def why(self, token: str, now: float) -> str | None:
        """Why this very token was refused lately, None where it was not."""
        key = _digest(token)
        until, why = self._refused.get(key, (0.0, ""))
        if until > now:
            return why
        self._refused.pop(key, None)
        return None


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=16).digest()
