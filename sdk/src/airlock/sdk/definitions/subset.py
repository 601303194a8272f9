"""A copy of a DAG with some of its tasks: ``DAG.partial_subset``."""

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airlock.sdk.definitions.graph.taskgroup import TaskGroup

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG


def partial_subset(
    dag: "DAG",
    task_ids: str | Iterable[str],
    include_downstream: bool = False,
    include_upstream: bool = True,
    include_direct_upstream: bool = False,
    depth: int | None = None,
) -> "DAG":
    """
    Returns a copy with the tasks of these ids, or those whose id has this text in it.

    The options add the tasks before and after them, up to ``depth`` arrows away. Setups and teardowns of what is kept
    are kept, too.
    """
    if isinstance(task_ids, str):
        chosen = {task_id for task_id in dag.task_ids if task_ids in task_id}
    else:
        chosen = set(task_ids) & set(dag.task_ids)
    kept = set(chosen)
    for task_id in chosen:
        kept |= _around(dag, task_id, chosen, (include_downstream, include_upstream), depth)
    if include_direct_upstream:
        kept |= {each for task_id in kept for each in dag.task_dict[task_id].upstream_task_ids}
    subset = copy.copy(dag)
    subset.task_dict = {}
    subset.task_group = _group(dag.task_group, None, kept, subset)
    return subset


def _around(dag: "DAG", task_id: str, chosen: set[str], includes: tuple[bool, bool], depth: int | None) -> set[str]:
    """Returns what is kept beside a task: by the options after and before it, and what their scopes need."""
    task, (downstream, upstream) = dag.task_dict[task_id], includes
    kept: set[str] = set()
    for after in task.get_flat_relatives(upstream=False, depth=depth) if downstream else ():
        kept.add(after.node_id)
        if after.node_id not in chosen and not after.is_setup and not after.is_teardown:
            kept |= {each.node_id for each in after.get_upstreams_only_setups_and_teardowns()}
    if upstream:
        kept |= {each.node_id for each in task.get_upstreams_follow_setups(depth=depth)}
    elif not task.is_setup and not task.is_teardown:
        kept |= {each.node_id for each in task.get_upstreams_only_setups_and_teardowns()}
    if task.is_setup and not downstream:
        kept |= {each.node_id for each in task.downstream_list if each.is_teardown}
    return kept


def _group(group: TaskGroup, parent: TaskGroup | None, kept: set[str], dag: "DAG") -> TaskGroup:
    """Returns a copy of a group with copies of the tasks that are kept."""
    other = copy.copy(group)
    other.dag, other.task_group, other.children = dag, parent, {}
    for key, child in group.children.items():
        if isinstance(child, TaskGroup):
            inner = _group(child, other, kept, dag)
            if inner.children:
                other.children[key] = inner
        elif key in kept:
            task: Any = copy.copy(child)
            task.__dict__["_dag"] = dag
            task.__dict__["task_group"] = other
            task.upstream_task_ids = child.upstream_task_ids & kept
            task.downstream_task_ids = child.downstream_task_ids & kept
            other.children[key] = dag.task_dict[key] = task
    return other
