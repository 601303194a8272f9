"""Compares two statuses of a TaskRun. Pure."""

from airlock_wire.taskrun import Attempt, Status


def ended_attempt(before: Status, after: Status) -> Attempt | None:
    """Returns the attempt that had not ended before, and has ended afterwards."""
    last = before.attempts[-1].attempt if before.attempts else 0
    found = after.attempts[-1] if after.attempts else None
    return found if found is not None and found.attempt > last else None
