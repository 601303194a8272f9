"""How long to wait before another try: growing, bounded, and scattered so that no two processes keep step."""

from random import random


def grown(failures: int, first: float, longest: float) -> float:
    """Returns seconds after so many failures in a row: ``first``, doubled with each, ``longest`` at most. Pure."""
    return min(first * 2.0 ** min(max(failures - 1, 0), 30), longest)


def scattered(seconds: float, low: float = 0.5, high: float = 1.0) -> float:
    """Returns a moment between ``low`` and ``high`` times these seconds."""
    return seconds * (low + random() * (high - low))  # noqa: S311 - jitter, not a secret


def pause(failures: int, first: float, longest: float) -> float:
    """Returns seconds to wait after so many failures in a row, scattered between half and whole."""
    return scattered(grown(failures, first, longest))
