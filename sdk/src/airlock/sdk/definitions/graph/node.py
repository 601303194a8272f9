"""A node of a DAG's graph: a task, or a group of tasks."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from airlock.sdk.definitions.graph.edges import DependencyMixin, EdgeModifier, Others, connect, operands

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import MappedTaskGroup, TaskGroup


class DAGNode(DependencyMixin):
    """
    A node. ``upstream_task_ids`` and ``downstream_task_ids`` are its direct neighbours; ``task_group`` is the group
    that it is in.
    """

    task_group: "TaskGroup | None" = None
    start_date: Any = None
    end_date: Any = None
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]
    is_setup: bool = False
    is_teardown: bool = False

    @property
    def node_id(self) -> str:
        """Its id, unique in the DAG."""
        raise NotImplementedError

    def get_dag(self) -> "DAG | None":
        """Returns the DAG that it is in, if any."""
        raise NotImplementedError

    @property
    def label(self) -> str | None:
        """Its id without the prefix of its group."""
        group = self.task_group
        if group is not None and group.node_id and group.prefix_group_id:
            return self.node_id.removeprefix(f"{group.node_id}.")
        return self.node_id

    def has_dag(self) -> bool:
        """Tells whether it is in a DAG."""
        return self.get_dag() is not None

    @property
    def dag_id(self) -> str:
        """The id of its DAG; ``_in_memory_dag_`` outside one."""
        dag = self.get_dag()
        return dag.dag_id if dag is not None else "_in_memory_dag_"

    # --- arrows ---

    def set_downstream(self, task_or_task_list: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Makes the others run after this."""
        self._set_relatives(task_or_task_list, upstream=False, edge_modifier=edge_modifier)

    def set_upstream(self, task_or_task_list: Others, edge_modifier: EdgeModifier | None = None) -> None:
        """Makes the others run before this."""
        self._set_relatives(task_or_task_list, upstream=True, edge_modifier=edge_modifier)

    def _set_relatives(self, others: Others, *, upstream: bool, edge_modifier: EdgeModifier | None) -> None:
        for other in operands(others):
            if isinstance(other, EdgeModifier):
                # The label draws its arrows when it knows both of their ends.
                other.set_downstream(self) if upstream else other.set_upstream(self)
                continue
            other.update_relative(self, upstream=not upstream, edge_modifier=edge_modifier)
            for task in other.leaves if upstream else other.roots:
                if not isinstance(task, DAGNode):
                    raise TypeError(f"arrows join tasks and groups; {task!r} is neither")
                before, after = (task, self) if upstream else (self, task)
                _share_dag(before, after)
                connect(before, after, edge_modifier)

    # --- neighbours ---

    @property
    def upstream_list(self) -> "list[DAGNode]":
        """The tasks directly before it."""
        return self.get_direct_relatives(upstream=True)

    @property
    def downstream_list(self) -> "list[DAGNode]":
        """The tasks directly after it."""
        return self.get_direct_relatives()

    def get_direct_relative_ids(self, upstream: bool = False) -> set[str]:
        """Returns the ids of its direct neighbours."""
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_direct_relatives(self, upstream: bool = False) -> "list[DAGNode]":
        """Returns its direct neighbours. Raises RuntimeError outside a DAG."""
        dag = self.get_dag()
        if dag is None:
            raise RuntimeError(f"{self!r} is not in a DAG, so it has no neighbours")
        return [dag.task_dict[task_id] for task_id in self.get_direct_relative_ids(upstream)]

    def get_flat_relative_ids(self, *, upstream: bool = False, depth: int | None = None) -> set[str]:
        """
        Returns the ids of everything before it (``upstream``) or after it, at any distance, or up to ``depth`` arrows.

        Raises ValueError for a negative depth.
        """
        if depth is not None and depth < 0:
            raise ValueError(f"depth is {depth}; it is a number of arrows, 0 or more")
        dag = self.get_dag()
        if dag is None:
            return set()
        ids: set[str] = set()
        level = set(self.get_direct_relative_ids(upstream))
        while level and (depth is None or depth > 0):
            ids |= level
            level = {each for id_ in level for each in dag.task_dict[id_].get_direct_relative_ids(upstream)} - ids
            depth = None if depth is None else depth - 1
        return ids

    def get_flat_relatives(self, upstream: bool = False, depth: int | None = None) -> "list[DAGNode]":
        """Returns everything before it (``upstream``) or after it, at any distance, or up to ``depth`` arrows."""
        dag = self.get_dag()
        if dag is None:
            return []
        return [dag.task_dict[id_] for id_ in self.get_flat_relative_ids(upstream=upstream, depth=depth)]

    # --- setups and teardowns ---

    def get_upstreams_only_setups_and_teardowns(self) -> "Iterable[DAGNode]":
        """Yields the setups whose scope this is in, and their teardowns: what has to run for this to run."""
        downstream_teardowns = {task.node_id for task in self.get_flat_relatives() if task.is_teardown}
        for task in self.get_flat_relatives(upstream=True):
            if not task.is_setup:
                continue
            own_teardowns = {each.node_id for each in task.downstream_list if each.is_teardown}
            if not own_teardowns or own_teardowns & downstream_teardowns:
                yield task
                for teardown in task.downstream_list:
                    if teardown.is_teardown and teardown is not self:
                        yield teardown

    def get_upstreams_only_setups(self) -> "Iterable[DAGNode]":
        """Yields the setups whose scope this is in."""
        return (task for task in self.get_upstreams_only_setups_and_teardowns() if task.is_setup)

    def get_upstreams_follow_setups(self, depth: int | None = None) -> "Iterable[DAGNode]":
        """Yields everything before this, up to ``depth`` arrows, and the teardowns of the setups among it."""
        for task in self.get_flat_relatives(upstream=True, depth=depth):
            yield task
            if task.is_setup:
                yield from (each for each in task.downstream_list if each.is_teardown and each is not self)

    # --- mapped groups ---

    def iter_mapped_task_groups(self) -> "Iterator[MappedTaskGroup]":
        """Yields the mapped groups that this is in, innermost first."""
        group = self.task_group
        while group is not None:
            if group.is_mapped_group:
                yield group  # type: ignore[misc]  # is_mapped_group is true for MappedTaskGroup alone
            group = group.task_group

    def get_closest_mapped_task_group(self) -> "MappedTaskGroup | None":
        """Returns the innermost mapped group that this is in, if any."""
        return next(self.iter_mapped_task_groups(), None)


def _share_dag(before: DAGNode, after: DAGNode) -> None:
    """Takes a task that is not in a DAG yet into the DAG of the other. Raises AirlockException if neither has one."""
    one, other = before.get_dag(), after.get_dag()
    if one is None and other is None:
        from airlock.sdk.exceptions import AirlockException

        raise AirlockException(
            f"neither {before.node_id!r} nor {after.node_id!r} is in a DAG; make them inside `with DAG(...)`, or "
            "give them dag="
        )
    if one is None and other is not None:
        other.add_task(before)
    elif other is None and one is not None:
        one.add_task(after)
