"""
What a pod's token still opens: the pod's row and the clock in, a standing out. Pure.

While its launch runs, it opens everything that the launch may ask. Once the task instance has reached its state, only
what a launch still has to say about itself; later, or when the pod no longer counts, only a replay of that state, which
moves nothing.
"""

from datetime import datetime, timedelta
from enum import IntEnum

from airlock_server.rules.attempts import Attempt

#: How long after its end a launch may still push XComs, rendered fields and a replay of its state.
SETTLED_FOR = timedelta(minutes=10)


class Standing(IntEnum):
    """How a launch stands, the later ones opening less."""

    #: It is the one that runs the task instance, or is to.
    CURRENT = 0
    #: Its task instance has reached a state.
    SETTLED = 1
    #: That was too long ago.
    EXPIRED = 2
    #: Another pod counts, or none any more.
    ENDED = 3


def standing(attempt: Attempt | None, ti_id: str, now: datetime) -> Standing:
    """How the launch of a token for ``ti_id`` stands; ``attempt`` is its pod's row, None where there is none."""
    if attempt is None or attempt.ti_id != ti_id or attempt.ended_at is not None:
        return Standing.ENDED
    if attempt.settled_at is None:
        return Standing.CURRENT
    return Standing.SETTLED if now - attempt.settled_at <= SETTLED_FOR else Standing.EXPIRED
