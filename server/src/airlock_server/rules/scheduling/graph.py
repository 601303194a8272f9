"""
What follows from a DAG alone: who is before and after whom, in which groups, under which setups. Made once for a DAG.
"""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Final

from airlock_wire.dags import mapping
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.task import SerializedTask

#: What raises every weight above zero: the smallest is that of a signed integer of 32 bits.
_RAISED: Final = 2**31


class DagGraph:
    """The relations of a DAG's tasks. What is computed for a task is kept."""

    def __init__(self, dag: SerializedDag) -> None:
        """Indexes a DAG whose references are in order (``airlock_wire.dags.checks``)."""
        self.dag = dag
        self.tasks: dict[str, SerializedTask] = {task.task_id: task for task in dag.tasks}
        self.groups: dict[str, SerializedGroup] = {group.group_id: group for group in dag.groups}
        self.downstream: dict[str, frozenset[str]] = {
            task.task_id: frozenset(task.downstream_task_ids) for task in dag.tasks
        }
        upstream: dict[str, set[str]] = {task_id: set() for task_id in self.tasks}
        for task_id, after in self.downstream.items():
            for each in after:
                upstream[each].add(task_id)
        self.upstream: dict[str, frozenset[str]] = {task_id: frozenset(ids) for task_id, ids in upstream.items()}
        self._setups: dict[str, frozenset[str]] = {}
        self._scopes: dict[str, frozenset[str]] = {}
        self._task_ids = list(self.tasks)
        self._place = {task_id: place for place, task_id in enumerate(self._task_ids)}

    # --- sets of tasks, as bits of a number: a DAG of thousands of tasks has as many sets of thousands ---

    def bits(self, task_ids: Iterable[str]) -> int:
        """Returns a set of tasks as a number."""
        number = 0
        for task_id in task_ids:
            number |= 1 << self._place[task_id]
        return number

    def ids(self, bits: int) -> frozenset[str]:
        """Returns the tasks of a set that is a number."""
        task_ids = []
        while bits:
            lowest = bits & -bits
            task_ids.append(self._task_ids[lowest.bit_length() - 1])
            bits ^= lowest
        return frozenset(task_ids)

    @cached_property
    def above(self) -> dict[str, int]:
        """For each task every task before it, at any distance."""
        return self._reach(self.upstream, list(self.order))

    @cached_property
    def below(self) -> dict[str, int]:
        """For each task every task after it, at any distance."""
        return self._reach(self.downstream, list(reversed(self.order)))

    def _reach(self, arrows: Mapping[str, frozenset[str]], order: list[str]) -> dict[str, int]:
        reached: dict[str, int] = {}
        for task_id in order:
            bits = 0
            for each in arrows[task_id]:
                bits |= reached[each] | 1 << self._place[each]
            reached[task_id] = bits
        return reached

    @cached_property
    def setups(self) -> int:
        """Every setup."""
        return self.bits(task_id for task_id, task in self.tasks.items() if task.is_setup)

    @cached_property
    def teardowns(self) -> int:
        """Every teardown."""
        return self.bits(task_id for task_id, task in self.tasks.items() if task.is_teardown)

    def weight(self, bits: int) -> int:
        """Returns the sum of the weights of a set of tasks."""
        raised = sum((bits & plane).bit_count() << bit for bit, plane in enumerate(self._planes))
        return raised - bits.bit_count() * _RAISED

    @cached_property
    def _planes(self) -> list[int]:
        """For each bit of a weight the tasks that have it, all weights being raised above zero."""
        planes = [0] * (_RAISED.bit_length() + 1)
        for task_id, task in self.tasks.items():
            for bit in range(len(planes)):
                if (task.priority_weight + _RAISED) >> bit & 1:
                    planes[bit] |= 1 << self._place[task_id]
        return planes

    @cached_property
    def order(self) -> dict[str, int]:
        """Each task's place in an order in which every task comes after those before it."""
        waiting = {task_id: len(ids) for task_id, ids in self.upstream.items()}
        ready = [task_id for task_id, count in waiting.items() if not count]
        for task_id in ready:
            for after in sorted(self.downstream[task_id]):
                waiting[after] -= 1
                if not waiting[after]:
                    ready.append(after)
        return {task_id: place for place, task_id in enumerate(ready)}

    # --- mapping ---

    @cache  # noqa: B019 - a graph lives as long as its DAG does, and so do its answers
    def mapped_groups(self, group_id: str | None) -> tuple[str, ...]:
        """Returns the mapped groups around a group, itself included, the innermost first."""
        ids: list[str] = []
        while group_id is not None:
            group = self.groups[group_id]
            if group.expansion is not None:
                ids.append(group_id)
            group_id = group.parent_group_id
        return tuple(ids)

    def groups_around(self, task_id: str) -> tuple[str, ...]:
        """Returns the mapped groups around a task, the innermost first."""
        return self.mapped_groups(self.tasks[task_id].group_id)

    def is_mapped(self, task_id: str) -> bool:
        """Tells whether a task has several instances: by itself or by a group around it."""
        return self.tasks[task_id].expansion is not None or bool(self.groups_around(task_id))

    @cache  # noqa: B019
    def expansion_sources(self, task_id: str) -> frozenset[str]:
        """Returns the tasks whose values decide how often a task runs: for it and for every group around it."""
        own = self.tasks[task_id].expansion
        expansions = [self.groups[each].expansion for each in self.groups_around(task_id)] + [own]
        return frozenset(
            source for each in expansions if each is not None for source in mapping.upstream_task_ids(each)
        )

    def nearest_sources(self, task_id: str) -> frozenset[str]:
        """Returns the tasks whose values expand a task itself, or else the innermost mapped group around it."""
        expansion = self.tasks[task_id].expansion
        around = self.groups_around(task_id)
        if expansion is None and around:
            expansion = self.groups[around[0]].expansion
        return frozenset(mapping.upstream_task_ids(expansion)) if expansion is not None else frozenset()

    @cached_property
    def feeding(self) -> frozenset[str]:
        """Every task whose value others are mapped over."""
        return frozenset(source for task_id in self.tasks for source in self.expansion_sources(task_id))

    @cache  # noqa: B019
    def dependents(self, task_id: str) -> frozenset[str]:
        """Returns the tasks that a change of a task's states may concern: not only those directly after it."""
        below = self.below[task_id] if self.teardowns or self.setups else 0
        scoped = self.ids(below if self.tasks[task_id].is_setup else below & self.teardowns)
        fed = (
            {each for each in self.tasks if task_id in self.expansion_sources(each)} if task_id in self.feeding else ()
        )
        return self.downstream[task_id].union(scoped, fed)

    # --- setups and teardowns ---

    def relevant_setups(self, task_id: str) -> frozenset[str]:
        """Returns the setups in whose scope a task is: their teardowns come after it, or they have none."""
        if not self.setups:
            return frozenset()
        if task_id not in self._setups:
            teardowns_below = self.below[task_id] & self.teardowns
            setups = self.ids(self.above[task_id] & self.setups)
            self._setups[task_id] = frozenset(each for each in setups if self._in_scope(each, teardowns_below))
        return self._setups[task_id]

    def _in_scope(self, setup_id: str, teardowns_below: int) -> bool:
        own = self.bits(self.downstream[setup_id]) & self.teardowns
        return not own or bool(own & teardowns_below)

    def teardown_scope(self, task_id: str) -> frozenset[str]:
        """Returns the tasks between a teardown and its setups, except those directly before it."""
        if task_id not in self._scopes:
            indirect = self.above[task_id] & ~self.bits(self.upstream[task_id])
            scope = 0
            for each in self.upstream[task_id]:
                if self.tasks[each].is_setup:
                    scope |= indirect & self.below[each]
            self._scopes[task_id] = self.ids(scope)
        return self._scopes[task_id]

    @cached_property
    def leaves(self) -> frozenset[str]:
        """The tasks whose states decide how a run ends: the last ones, if teardowns that may fail are taken away."""
        counted = frozenset(task_id for task_id in self.tasks if self._is_leaf(task_id))
        return counted or frozenset(task_id for task_id in self.tasks if not self.downstream[task_id])

    def _is_leaf(self, task_id: str) -> bool:
        after = (self.tasks[each] for each in self.downstream[task_id])
        return not _ignorable(self.tasks[task_id]) and all(_ignorable(each) for each in after)


def _ignorable(task: SerializedTask) -> bool:
    """Tells whether a task is a teardown that may fail without its run."""
    return task.is_teardown and not task.on_failure_fail_dagrun
