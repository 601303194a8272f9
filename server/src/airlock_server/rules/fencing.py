"""
Decides what a pod's token still opens: the pod's row and the clock in, a standing out. Pure.

While its launch runs, the token opens everything that the launch may ask. Once the task instance has reached its state,
it opens only requests of the launch about itself. Later it opens only a replay of that state, which moves nothing. If
another pod is the current one, it opens nothing.
"""

from datetime import datetime, timedelta
from enum import IntEnum

from airlock_server.rules.attempts import Attempt

#: How long after its end a launch may still push XComs, rendered fields and a replay of its state.
SETTLED_FOR = timedelta(minutes=10)


class Standing(IntEnum):
    """The standing of a launch; a later one in this list opens less."""

    #: The launch runs the task instance, or is about to.
    CURRENT = 0
    #: Its task instance has reached a state.
    SETTLED = 1
    #: That was too long ago for anything but a replay.
    EXPIRED = 2
    #: Another pod is the current one, or the TaskRun is over.
    ENDED = 3


def standing(attempt: Attempt | None, ti_id: str, now: datetime) -> Standing:
    """Returns the standing of the launch of a token for ``ti_id``; ``attempt`` is its pod's row, None without a row."""
    if attempt is None or attempt.ti_id != ti_id or attempt.ended_at is not None:
        return Standing.ENDED
    if attempt.settled_at is None:
        return Standing.CURRENT
    return Standing.SETTLED if now - attempt.settled_at <= SETTLED_FOR else Standing.EXPIRED
