"""
Mapping: how many instances a task has, and which instances of another task belong to one of them.
"""

from collections.abc import Mapping
from math import prod
from typing import Final

from airlock_server.rules.scheduling.board import Board, Indexes
from airlock_server.rules.scheduling.graph import DagGraph
from airlock_server.rules.scheduling.states import UNFINISHED
from airlock_wire.dags.mapping import (
    ConcatSource,
    Expansion,
    Literally,
    MapSource,
    Source,
    XComSource,
    ZipSource,
    xcoms,
)

#: How many instances a task may have. Lengths multiply, and user code says how long they are. A task that would have
#: more is not expanded, and ends as one whose lengths are missing.
MAX_INSTANCES: Final = 100_000


class Lengths:
    """How often the tasks of a run are mapped, as far as it is known."""

    def __init__(self, board: Board, lengths: Mapping[str, int], pushed: Mapping[str, int]) -> None:
        """Takes what tasks pushed: a length each, or for a mapped task how many of its instances pushed a value."""
        self._board = board
        self._graph = board.graph
        self._lengths = lengths
        self._pushed = pushed

    def total(self, task_id: str) -> int | None:
        """Returns how many instances a mapped task has in all; None while a value is missing."""
        own = self._graph.tasks[task_id].expansion
        around = self._graph.groups_around(task_id)
        return self._product([self._group(each) for each in around] + ([] if own is None else [self._expansion(own)]))

    def group_total(self, group_id: str) -> int | None:
        """Returns how many instances a mapped group has in all, groups around it included."""
        return self._product([self._group(each) for each in self._graph.mapped_groups(group_id)])

    def relevant(self, task_id: str, map_index: int, other_id: str) -> Indexes:
        """
        Returns the indexes of another task that belong to one instance of a task; None if all of them do.

        They belong together in the innermost mapped group that both are in. If the other task is mapped further inside
        that group, one instance has several counterparts.
        """
        total = self.total(task_id)
        if not total or not self._graph.is_mapped(task_id):
            return None
        others = self._graph.groups_around(other_id)
        common = next((each for each in self._graph.groups_around(task_id) if each in others), None)
        if common is None:
            return None
        group_total = self.group_total(common)
        if not group_total:
            return None
        group_index = map_index * group_total // total
        if not self._is_mapped_inside(other_id, common):
            return group_index
        further = total // group_total
        return range(group_index * further, (group_index + 1) * further)

    def _is_mapped_inside(self, task_id: str, group_id: str) -> bool:
        own = self._graph.tasks[task_id].expansion
        return own is not None or self._graph.groups_around(task_id)[0] != group_id

    def _group(self, group_id: str) -> int | None:
        expansion = self._graph.groups[group_id].expansion
        return None if expansion is None else self._expansion(expansion)

    def _expansion(self, expansion: Expansion) -> int | None:
        return self._product([self._source(argument.source) for argument in expansion.arguments])

    def _source(self, source: Source) -> int | None:
        match source:
            case Literally(length=length):
                return length
            case XComSource(task_id=task_id):
                return self._xcom(task_id)
            case MapSource(source=inner):
                return self._source(inner)
            case ZipSource(sources=sources, longest=longest):
                lengths = _known([self._source(each) for each in sources])
                return None if lengths is None else (max if longest else min)(lengths)
            case ConcatSource(sources=sources):
                lengths = _known([self._source(each) for each in sources])
                return None if lengths is None else sum(lengths)

    def _xcom(self, task_id: str) -> int | None:
        if not self._graph.is_mapped(task_id):
            return self._lengths.get(task_id)
        states = self._board.states[task_id]
        if any(states[state] for state in UNFINISHED):
            return None
        # Instances that were skipped, failed or returned nothing are missing among the values.
        return self._pushed.get(task_id, 0)

    @staticmethod
    def _product(lengths: list[int | None]) -> int | None:
        known = _known(lengths)
        total = None if known is None else prod(known)
        return None if total is not None and total > MAX_INSTANCES else total


def literal_total(graph: DagGraph, task_id: str) -> int | None:
    """Returns how many instances a mapped task has, if the file alone says so; None if values decide."""
    own = graph.tasks[task_id].expansion
    expansions = [graph.groups[each].expansion for each in graph.groups_around(task_id)] + [own]
    sources = [argument.source for each in expansions if each is not None for argument in each.arguments]
    if any(xcoms(each) for each in sources):
        return None
    return Lengths(Board(graph, ()), {}, {}).total(task_id)


def _known(lengths: list[int | None]) -> list[int] | None:
    """Returns the lengths if all are known."""
    known = [length for length in lengths if length is not None]
    return known if len(known) == len(lengths) else None
