"""
How long to wait for a server that does not answer, and when one that does has answered for good.

A server that is away is waited out: transport errors and 5xx are tried again, with growing, jittered delays. One
request that alone keeps getting 5xx, while heartbeats are answered, is not an outage but that request's fate.
"""

from airlock_wire.process import backoff

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
LONGEST_TIMEOUT_SECONDS = 60.0

#: A 5xx this often, with the server otherwise alive, is an answer.
BROKEN_AFTER_TRIES = 8


#: After so many tries without an answer the task's log says that it is waiting, and for what.
SAID_AFTER_TRIES = 3


def delay(tries: int) -> float:
    """Seconds before try ``tries + 1``."""
    return backoff.pause(tries, FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS)


def soon(tries: int) -> float:
    """The same, for what is expected at any moment: from 50 ms to 1 s."""
    return backoff.pause(tries, 0.05, 1.0)


def timeout(first: float, late: int) -> float:
    """Seconds to wait for an answer after ``late`` answers in a row came too late."""
    return backoff.grown(late + 1, first, LONGEST_TIMEOUT_SECONDS)


def broken_for_good(tries: int, *, alive_meanwhile: bool) -> bool:
    """
    Tells whether a 5xx now counts as the answer. ``alive_meanwhile``: a heartbeat was answered since the first failure.

    That one was answered lately is not enough: an outage that has just begun has a good heartbeat behind it.
    """
    return tries >= BROKEN_AFTER_TRIES and alive_meanwhile
