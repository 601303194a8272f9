"""
Priorities: which of several task instances is queued first.
"""

from typing import Final

from airlock_server.rules.scheduling.graph import DagGraph
from airlock_wire.dags.words import WeightRule

_LEAST: Final = -(2**31)
_MOST: Final = 2**31 - 1


def priority_weight(graph: DagGraph, task_id: str, custom: int | None = None) -> int:
    """
    Returns a task's priority, cut to 32 bits. ``custom`` is what a weight rule of the author's gave; a runner computes
    it, and without it the task's own weight counts.
    """
    task = graph.tasks[task_id]
    if task.weight_rule == WeightRule.DOWNSTREAM:
        weight = task.priority_weight + graph.weight(graph.below[task_id])
    elif task.weight_rule == WeightRule.UPSTREAM:
        weight = task.priority_weight + graph.weight(graph.above[task_id])
    else:
        weight = task.priority_weight if custom is None else custom
    return min(max(weight, _LEAST), _MOST)
