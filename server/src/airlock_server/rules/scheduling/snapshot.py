"""
What a decision about a DAG run needs, and what it gives: plain data, without a database.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from airlock_wire.dags.dag import SerializedDag
from airlock_wire.retry_delay import MAX_DELAY_SECONDS
from airlock_wire.states import TaskInstanceState

#: The map index of a task instance that is not mapped, or not expanded yet.
UNMAPPED = -1


class Key(NamedTuple):
    """A task instance within its run."""

    task_id: str
    map_index: int = UNMAPPED


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One task instance, as far as decisions need it."""

    task_id: str
    map_index: int = UNMAPPED
    state: TaskInstanceState = TaskInstanceState.NONE
    try_number: int = 0
    max_tries: int = 0
    end_date: datetime | None = None
    #: When an instance that is up for reschedule may go on.
    reschedule_date: datetime | None = None
    #: Seconds until the next try that a retry policy chose.
    retry_delay_override: float | None = None

    @property
    def key(self) -> Key:
        """The instance within its run."""
        return Key(self.task_id, self.map_index)


class SkipRecord(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a branch or short circuit left for the tasks directly after it. ``followed`` are the only ones that go on;
    ``skipped`` are those that do not. One of them is None.
    """

    followed: frozenset[str] | None = None
    skipped: frozenset[str] | None = None


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """
    The run before this one, for tasks that depend on it.

    Which run that is: with catchup the one before by logical date among those that nobody made by hand, without
    catchup the one before of any type.
    """

    logical_date: datetime | None
    #: The states of each task's instances in that run; a task without instances is not a key.
    states: Mapping[str, list[TaskInstanceState]]
    #: Tasks with an instance in any earlier run.
    older: frozenset[str] = frozenset()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The DAG run. ``first_of_backfill`` is the first in the order of its backfill."""

    run_id: str
    run_type: str = "manual"
    logical_date: datetime | None = None
    start_date: datetime | None = None
    first_of_backfill: bool = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """
    How much may run at once, and how long a retry may wait. ``elsewhere`` counts the active instances of a task in
    other runs of the DAG.

    ``max_active_tasks`` is the setting, which a DAG's own number replaces. ``max_retry_delay_seconds`` holds for delays
    that grow with each try.
    """

    max_active_tasks: int = 16
    max_retry_delay_seconds: float = MAX_DELAY_SECONDS
    elsewhere: Mapping[str, int] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """
    A DAG run at one moment.

    ``lengths`` is what tasks pushed that others are mapped over, by task id. ``pushed`` counts the return values of the
    instances of a mapped task. ``failed`` are the instances that have failed since the last decision.

    ``complete`` False: the rows were made for another version of the DAG, or none were made yet.
    """

    dag: SerializedDag
    run: Run
    now: datetime
    instances: list[Instance] = []
    lengths: Mapping[str, int] = {}
    pushed: Mapping[str, int] = {}
    skip_records: Mapping[Key, SkipRecord] = {}
    past: Past | None = None
    failed: list[Key] = []
    complete: bool = True
    limits: Limits = Limits()


class Insert(msgspec.Struct, frozen=True, kw_only=True):
    """A row to insert."""

    task_id: str
    map_index: int
    max_tries: int
    priority_weight: int


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A state to set. ``try_number`` None: it stays."""

    key: Key
    state: TaskInstanceState
    try_number: int | None = None


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """
    A task instance to launch now. ``deferred``: it has no first phase, and begins with its trigger.
    """

    key: Key
    try_number: int
    deferred: bool = False


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``relevant`` is the task instance that the DAG's callback is told of."""

    state: Literal["success", "failed"]
    reason: Literal["success", "task_failure", "all_tasks_deadlocked", "timed_out"]
    relevant: Key | None = None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """
    What to write and to start, in this order.

    ``renumbered`` are tasks whose unexpanded instance becomes the one of index 0; ``dropped`` are tasks whose
    unexpanded instance is deleted. ``moves`` name instances by their new index. ``due`` is when the clock alone changes
    the answer.
    """

    renumbered: list[str] = []
    dropped: list[str] = []
    inserts: list[Insert] = []
    moves: list[Move] = []
    starts: list[Start] = []
    due: datetime | None = None
    end: End | None = None
