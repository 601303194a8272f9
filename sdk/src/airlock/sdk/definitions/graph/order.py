"""The order in which the nodes of a group or DAG can run, and cycles."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from airlock.sdk.exceptions import AirlockDagCycleException

if TYPE_CHECKING:
    from airlock.sdk.definitions.graph.node import DAGNode
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup


def cycle(downstream: Mapping[str, Iterable[str]]) -> list[str]:
    """Returns the ids along a cycle, the first repeated as the last; empty if there is no cycle."""
    finished_ids: set[str] = set()
    for start in downstream:
        # A path by hand, not by recursion: a DAG may be a chain of thousands.
        path: list[str] = []
        on_path: set[str] = set()
        waiting: list[tuple[str, bool]] = [(start, False)]
        while waiting:
            task_id, leaving = waiting.pop()
            if leaving:
                on_path.discard(path.pop())
                finished_ids.add(task_id)
            elif task_id in on_path:
                return [*path[path.index(task_id) :], task_id]
            elif task_id not in finished_ids:
                path.append(task_id)
                on_path.add(task_id)
                waiting.append((task_id, True))
                waiting.extend((each, False) for each in sorted(downstream[task_id], reverse=True))
    return []


def topological_sort(group: "TaskGroup") -> "list[DAGNode]":
    """Returns the children of a group so that each comes after what it waits for, else in the order of the file."""
    child_of = {task.node_id: key for key, child in group.children.items() for task in _tasks(child)}
    waits = {
        key: {
            child_of[task_id]
            for task in _tasks(child)
            for task_id in task.upstream_task_ids
            if task_id in child_of and child_of[task_id] != key
        }
        for key, child in group.children.items()
    }
    ordered: list[DAGNode] = []
    remaining = dict(group.children)
    while remaining:
        before = len(remaining)
        for key in list(remaining):
            # One that waits only for what came earlier in this very pass is next, as in Airflow's order.
            if not waits[key] & remaining.keys():
                ordered.append(remaining.pop(key))  # noqa: PERF401 - a pass looks at what it has taken
        if len(remaining) == before:
            raise AirlockDagCycleException(f"the tasks wait for each other: {', '.join(sorted(remaining))}")
    return ordered


def _tasks(node: "DAGNode") -> "Iterable[DAGNode]":
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup

    return node if isinstance(node, TaskGroup) else (node,)


def tasks_in_order(group: "TaskGroup") -> "Iterable[DAGNode]":
    """Yields the tasks of a group, and of the groups in it, so that each comes after what it waits for."""
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup

    for node in topological_sort(group):
        if isinstance(node, TaskGroup):
            yield from tasks_in_order(node)
        else:
            yield node
