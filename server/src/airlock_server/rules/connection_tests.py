"""
Decides what a worker's call does to a connection test: its state in, the next state or a refusal out. Pure.

A test is made by a person, its connection is fetched once by the worker that tries it, and its result is written once.
"""

from enum import StrEnum


class State(StrEnum):
    """The state of a connection test, spelt as Airflow spells it."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


#: The states in which no worker has the connection yet.
UNFETCHED = frozenset({State.PENDING, State.QUEUED})
#: The states in which a test is over.
ENDED = frozenset({State.SUCCESS, State.FAILED})


def fetch_problem(test_id: str, state: State) -> str | None:
    """Returns why the connection may not be fetched; None if it may be."""
    if state in UNFETCHED:
        return None
    return (
        f"Connection test {test_id} is in state {state.value}; "
        "credentials can only be fetched once while PENDING or QUEUED."
    )


def result_problem(test_id: str, state: State) -> str | None:
    """Returns why a result may not be written; None if it may be."""
    return f"Connection test {test_id} is already in terminal state: {state.value}" if state in ENDED else None
