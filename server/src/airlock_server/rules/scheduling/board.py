"""
The task instances of a run, counted by task and state, so that a question about a task does not read its instances.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.snapshot import UNMAPPED, Instance, Key
from airlock_server.rules.scheduling.states import UNFINISHED
from airlock_server.rules.scheduling.trigger_rules import Counts
from airlock_wire.states import TaskInstanceState

#: Which indexes of a task matter: one, a range, or all.
Indexes = int | range | None

_S = TaskInstanceState


class Board:
    """The instances of one run. A decision changes its own board, and nobody else's."""

    def __init__(self, graph: DagGraph, instances: Iterable[Instance]) -> None:
        """Counts the instances."""
        self.graph = graph
        self.rows: dict[str, dict[int, Instance]] = {task_id: {} for task_id in graph.tasks}
        self.states: dict[str, Counter[TaskInstanceState]] = {task_id: Counter() for task_id in graph.tasks}
        self.unfinished: set[Key] = set()
        for instance in instances:
            self.put(instance)

    def put(self, instance: Instance) -> None:
        """Adds an instance, or replaces the one of its index."""
        before = self.rows[instance.task_id].get(instance.map_index)
        if before is not None:
            self.states[instance.task_id][before.state] -= 1
        self.rows[instance.task_id][instance.map_index] = instance
        self.states[instance.task_id][instance.state] += 1
        if instance.state in UNFINISHED:
            self.unfinished.add(instance.key)
        else:
            self.unfinished.discard(instance.key)

    def set(self, key: Key, state: TaskInstanceState) -> None:
        """Gives an instance another state."""
        self.put(msgspec.structs.replace(self.rows[key.task_id][key.map_index], state=state))

    def drop(self, key: Key) -> Instance:
        """Takes an instance away, and returns it."""
        instance = self.rows[key.task_id].pop(key.map_index)
        self.states[key.task_id][instance.state] -= 1
        self.unfinished.discard(key)
        return instance

    def get(self, key: Key) -> Instance | None:
        """Returns an instance, if it is there."""
        return self.rows[key.task_id].get(key.map_index)

    def __iter__(self) -> Iterator[Instance]:
        """Yields every instance."""
        for rows in self.rows.values():
            yield from rows.values()

    def count(self, task_ids: Iterable[str], indexes: Callable[[str], Indexes] | None) -> Counts:
        """
        Counts the instances of some tasks. ``indexes`` says which instances of a task matter; None: all of all.

        A task without rows counts as one that is not done, unless one of the tasks is mapped: then rows are counted.
        """
        ids = list(task_ids)
        by_rows = any(self.graph.is_mapped(each) for each in ids)
        states: Counter[TaskInstanceState] = Counter()
        setups: Counter[TaskInstanceState] = Counter()
        total = setup_total = 0
        for each in ids:
            own = self._states(each, indexes(each) if indexes is not None else None)
            size = own.total() if by_rows else 1
            states.update(own)
            total += size
            if self.graph.tasks[each].is_setup:
                setups.update(own)
                setup_total += size
        return Counts(
            success=states[_S.SUCCESS],
            skipped=states[_S.SKIPPED],
            failed=states[_S.FAILED],
            upstream_failed=states[_S.UPSTREAM_FAILED],
            removed=states[_S.REMOVED],
            total=total,
            setup_success=setups[_S.SUCCESS],
            setup_skipped=setups[_S.SKIPPED],
            setup_total=setup_total,
        )

    def _states(self, task_id: str, indexes: Indexes) -> Counter[TaskInstanceState]:
        if indexes is None:
            return self.states[task_id]
        chosen = [indexes] if isinstance(indexes, int) else indexes
        rows = self.rows[task_id]
        # A task that is not expanded yet counts as well, so that at least one of its instances does.
        some = {UNMAPPED, *chosen}
        return Counter(rows[index].state for index in some if index in rows)
