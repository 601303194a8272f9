"""A version's difference from the one before it, as plain data and functions over decoded JSON."""

from collections.abc import Callable
from typing import Any

import msgspec

#: Changes the body of an answer in its place; the body is a decoded JSON value, never None.
Undo = Callable[[Any], None]
#: A method and a route's pattern.
Operation = tuple[str, str]

RUN: Operation = ("PATCH", "/task-instances/{task_instance_id}/run")
DAG_RUN: Operation = ("GET", "/dag-runs/{dag_id}/{run_id}")
PREVIOUS: Operation = ("GET", "/dag-runs/previous")
PREVIOUS_OF_DAG: Operation = ("GET", "/dag-runs/{dag_id}/previous")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """
    What ``version`` changed.

    ``added``: operations that older clients do not have. ``removed``: operations that only they have. ``undo``: what
    becomes of an answer for them. What they send is read as the newest version reads it, as in Airflow.
    """

    version: str
    added: frozenset[Operation] = frozenset()
    removed: frozenset[Operation] = frozenset()
    undo: dict[Operation, Undo] = {}


def without(*names: str) -> Undo:
    """Returns what removes keys of the body."""

    def undo(body: Any) -> None:
        for name in names:
            body.pop(name, None)

    return undo
