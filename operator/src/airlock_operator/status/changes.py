"""Compares two statuses of a TaskRun. Pure."""

from airlock_wire.taskrun import Attempt, Status


def ended_attempt(before: Status, after: Status) -> Attempt | None:
    """Returns the attempt that had not ended before, and has ended afterwards."""
    last = before.attempts[-1].attempt if before.attempts else 0
    newest = after.attempts[-1] if after.attempts else None
    return newest if newest is not None and newest.attempt > last else None
