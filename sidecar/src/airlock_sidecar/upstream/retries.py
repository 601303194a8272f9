"""
How long to wait for a server that does not answer, and when one that does has answered for good.

The sidecar waits until an absent server is back: after transport errors and 5xx it tries again, with growing, jittered
delays. If one request alone keeps getting 5xx while heartbeats are answered, the fault is in the request and not in
the server.
"""

from airlock_wire.process import backoff

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
LONGEST_TIMEOUT_SECONDS = 60.0

#: After so many 5xx, with the server otherwise alive, the 5xx is final.
BROKEN_AFTER_TRIES = 8


#: After so many tries in a row without an answer the task's log says that the server is away, and why.
SAID_AFTER_TRIES = 3


def delay(tries: int) -> float:
    """Seconds before try ``tries + 1``."""
    return backoff.pause(tries, FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS)


def soon(tries: int) -> float:
    """Returns the same for what is expected at any moment: from 50 ms to 1 s."""
    return backoff.pause(tries, 0.05, 1.0)


def timeout(first: float, late: int) -> float:
    """Seconds to wait for an answer after ``late`` answers in a row came too late."""
    return backoff.grown(late + 1, first, LONGEST_TIMEOUT_SECONDS)


def broken_for_good(tries: int, *, alive_meanwhile: bool) -> bool:
    """
    Tells whether a 5xx is final now. ``alive_meanwhile``: a heartbeat was answered since the first failure.

    A recent answer to a heartbeat proves nothing: at the start of an outage the last heartbeat was answered too.
    """
    return tries >= BROKEN_AFTER_TRIES and alive_meanwhile
