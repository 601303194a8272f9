"""Task groups: tasks that belong together, for people and for mapping."""

import os
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from airlock.sdk.definitions.graph import stack
from airlock.sdk.definitions.graph.edges import DependencyMixin, EdgeModifier, Others, operands
from airlock.sdk.definitions.graph.node import DAGNode
from airlock.sdk.exceptions import DuplicateTaskIdFound, NodeNotFound, TaskAlreadyInTaskGroup
from airlock_wire import ids

if TYPE_CHECKING:
    from airlock.sdk.bases.operator import BaseOperator
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.mapping.expansion import ExpandInput

_OPEN: Any = object()
_MAX_GROUP_ID = 200


class TaskGroup(DAGNode):
    """
    A group of tasks: ``with TaskGroup("load"):``. An arrow to the group goes to its first tasks, an arrow from it
    starts at its last ones.

    ``prefix_group_id`` puts the group's id before the ids in it. ``default_args`` are options for its tasks; they win
    over the DAG's. ``add_suffix_on_collision`` makes a taken id ``id__1``, ``id__2``.
    """

    is_mapped_group = False

    def __init__(
        self,
        group_id: str | None,
        group_display_name: str = "",
        prefix_group_id: bool = True,
        parent_group: "TaskGroup | None" = _OPEN,
        dag: "DAG | None" = None,
        default_args: Mapping[str, Any] | None = None,
        tooltip: str = "",
        doc_md: str | None = None,
        ui_color: str = "CornflowerBlue",
        ui_fgcolor: str = "#000",
        add_suffix_on_collision: bool = False,
    ) -> None:
        """Raises RuntimeError outside a DAG, and DuplicateTaskIdFound for an id that the DAG already has."""
        if group_id is not None:
            _check_group_id(group_id)
        if parent_group is _OPEN:
            parent_group = stack.open_group(dag if dag is not None else stack.open_dag()) if group_id else None
        if dag is None:
            dag = parent_group.dag if parent_group is not None else stack.open_dag()
        if dag is None:
            raise RuntimeError("TaskGroup can only be used inside a dag: make it inside `with DAG(...)`, or give dag=")
        self.dag: DAG = dag
        self._group_id = group_id
        self.group_display_name = group_display_name
        self.prefix_group_id = prefix_group_id
        self.task_group = parent_group
        self.default_args: dict[str, Any] = {
            **(parent_group.default_args if parent_group else {}),
            **dict(default_args or {}),
        }
        self.tooltip = tooltip
        self.doc_md = _document(doc_md)
        self.ui_color = ui_color
        self.ui_fgcolor = ui_fgcolor
        self.add_suffix_on_collision = add_suffix_on_collision
        self.children: dict[str, DAGNode] = {}
        self.upstream_group_ids: set[str | None] = set()
        self.downstream_group_ids: set[str | None] = set()
        self.upstream_task_ids = set()
        self.downstream_task_ids = set()
        self.used_group_ids: set[str] = parent_group.used_group_ids if parent_group is not None else set()
        if group_id is not None:
            self._take_free_id(group_id)
            if parent_group is not None:
                parent_group.add(self)
            self.used_group_ids |= {self.node_id, self.upstream_join_id, self.downstream_join_id}

    def _take_free_id(self, group_id: str) -> None:
        if self.node_id not in self.used_group_ids:
            return
        if not self.add_suffix_on_collision:
            raise DuplicateTaskIdFound(
                f"group_id {group_id!r} has already been added to the DAG; give the group another id, or "
                "add_suffix_on_collision=True"
            )
        number = 1
        while self.node_id in self.used_group_ids:
            self._group_id = f"{group_id}__{number}"
            number += 1

    @classmethod
    def create_root(cls, dag: "DAG") -> "TaskGroup":
        """Returns a DAG's root group, which has no id."""
        return cls(group_id=None, dag=dag, parent_group=None)

    # --- identity ---

    @property
    def group_id(self) -> str | None:
        """Its id, with the prefix of the group that it is in; None for the root."""
        group = self.task_group
        if self._group_id and group is not None and group.prefix_group_id and group._group_id:  # noqa: SLF001 - of this class
            return group.child_id(self._group_id)
        return self._group_id

    @property
    def node_id(self) -> str:
        """Its id; empty for the root."""
        return self.group_id or ""

    @property
    def parent_group(self) -> "TaskGroup | None":
        """The group that it is in."""
        return self.task_group

    @property
    def label(self) -> str | None:
        """What people read: its display name, else its id without the prefix."""
        return self.group_display_name or self._group_id

    @property
    def is_root(self) -> bool:
        """Tells whether it is the DAG's root group."""
        return not self._group_id

    def get_dag(self) -> "DAG":
        """Returns its DAG."""
        return self.dag

    def child_id(self, label: str) -> str:
        """Returns the id that a task or group with this id gets in here."""
        return f"{self.group_id}.{label}" if self.prefix_group_id and self.group_id else label

    @property
    def upstream_join_id(self) -> str:
        """The id of the point where arrows to the group meet in a drawing."""
        return f"{self.group_id}.upstream_join_id"

    @property
    def downstream_join_id(self) -> str:
        """The id of the point where arrows from the group meet in a drawing."""
        return f"{self.group_id}.downstream_join_id"

    # --- children ---

    def add(self, task: DAGNode) -> DAGNode:
        """Takes a task or an empty group into the group. Raises DuplicateTaskIdFound or TaskAlreadyInTaskGroup."""
        group = task.task_group
        if not isinstance(task, TaskGroup) and group is not None and group is not self:
            raise TaskAlreadyInTaskGroup(task.node_id, group.node_id, self.node_id)
        task.task_group = self
        key = task.node_id
        if key in self.children or (not self.is_root and key in self.dag.task_group.children):
            kind = "Group" if isinstance(task, TaskGroup) else "Task"
            raise DuplicateTaskIdFound(f"{kind} id {key!r} has already been added to the DAG; give it another id")
        self.children[key] = task
        return task

    def get_child_by_label(self, label: str) -> DAGNode:
        """Returns the child with this id, which may be given without the group's prefix."""
        return self.children[self.child_id(label)]

    def __getitem__(self, label: str) -> DAGNode:
        """Returns the child with this id; NodeNotFound for an unknown one."""
        try:
            return self.get_child_by_label(label)
        except KeyError:
            raise NodeNotFound(f"group {self.node_id!r} has no task and no group {label!r}") from None

    def __iter__(self) -> "Iterator[BaseOperator]":
        """Goes through the tasks in it, at any depth."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child
            else:
                yield child  # type: ignore[misc]  # what is not a group is a task

    def iter_tasks(self) -> "Iterator[BaseOperator]":
        """Goes through the tasks in it, at any depth."""
        return iter(self)

    def has_task(self, task: DAGNode) -> bool:
        """Tells whether the task is in the group, at any depth."""
        return any(each is task for each in self)

    def get_task_group_dict(self) -> "dict[str | None, TaskGroup]":
        """Returns this group and all groups in it, by id."""
        groups: dict[str | None, TaskGroup] = {self.group_id: self}
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                groups |= child.get_task_group_dict()
        return groups

    # --- arrows ---

    def get_roots(self) -> "Iterator[BaseOperator]":
        """Yields the tasks with nothing in the group before them."""
        inside = {task.node_id for task in self}
        for task in self:
            if not task.upstream_task_ids & inside:
                yield task

    def get_leaves(self) -> "Iterator[BaseOperator]":
        """Yields the tasks with nothing in the group after them. A teardown gives way to what is before it."""
        inside = {task.node_id: task for task in self}

        def above(task: "BaseOperator") -> "Iterator[BaseOperator]":
            for task_id in task.upstream_task_ids:
                if (before := inside.get(task_id)) is not None:
                    if before.is_teardown:
                        yield from above(before)
                    elif not before.is_setup:
                        yield before

        seen: set[str] = set()
        for task in self:
            if task.downstream_task_ids & inside.keys():
                continue
            for leaf in above(task) if task.is_teardown else (task,):
                if leaf.node_id not in seen:
                    seen.add(leaf.node_id)
                    yield leaf

    @property
    def roots(self) -> "Sequence[BaseOperator]":
        """The tasks that an arrow to the group goes to."""
        return list(self.get_roots())

    @property
    def leaves(self) -> "Sequence[BaseOperator]":
        """The tasks at which an arrow from the group starts."""
        return list(self.get_leaves())

    def update_relative(
        self, other: DependencyMixin, upstream: bool = True, edge_modifier: EdgeModifier | None = None
    ) -> None:
        """Notes what an arrow to or from the group joins, so that a drawing needs one arrow for it."""
        own_join = self.upstream_join_id if upstream else self.downstream_join_id
        if isinstance(other, TaskGroup):
            before, after = (other, self) if upstream else (self, other)
            after.upstream_group_ids.add(before.group_id)
            before.downstream_group_ids.add(after.group_id)
            if edge_modifier is not None:
                edge_modifier.add_edge_info(self.dag, before.downstream_join_id, after.upstream_join_id)
            return
        for task in other.roots:
            if not isinstance(task, DAGNode) or task is self:
                continue
            (self.upstream_task_ids if upstream else self.downstream_task_ids).add(task.node_id)
            if edge_modifier is not None:
                pair = (task.node_id, own_join) if upstream else (own_join, task.node_id)
                edge_modifier.add_edge_info(self.dag, *pair)

    def _set_relatives(self, others: Others, *, upstream: bool, edge_modifier: EdgeModifier | None) -> None:
        for other in operands(others):
            if isinstance(other, EdgeModifier):
                other.set_downstream(self) if upstream else other.set_upstream(self)
                continue
            # The tasks of an empty group are what was put before it.
            own = list(self.get_roots()) if upstream else _leaves(self)
            self.update_relative(other, upstream, edge_modifier)
            for task in own:
                if upstream:
                    task.set_upstream(other, edge_modifier)
                else:
                    task.set_downstream(other, edge_modifier)

    def add_task(self, task: DAGNode) -> None:
        """Takes a task into the group, as the scope of ``with`` does."""
        self.add(task)

    def as_setup(self) -> "TaskGroup":
        """Raises NotImplementedError: tasks are setups, groups are not."""
        raise NotImplementedError("a task group is not a setup; make its tasks setups")

    # --- with ---

    def __enter__(self) -> Self:
        """Makes this the group that tasks are added to."""
        stack.push_group(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Makes the outer group the one that tasks are added to again."""
        stack.pop_group()

    def __repr__(self) -> str:
        """Returns the id."""
        return f"<{type(self).__name__} {self.node_id or '(root)'}>"

    def hierarchical_alphabetical_sort(self) -> list[DAGNode]:
        """Returns the children, groups first, by their labels."""
        return sorted(self.children.values(), key=lambda node: (not isinstance(node, TaskGroup), node.node_id))

    def topological_sort(self) -> list[DAGNode]:
        """Returns the children so that each comes after what it waits for. Raises AirlockDagCycleException."""
        from airlock.sdk.definitions.graph.order import topological_sort

        return topological_sort(self)


class MappedTaskGroup(TaskGroup):
    """A group that is mapped: all of its tasks run once for each index of ``expand_input``."""

    is_mapped_group = True

    def __init__(self, *, expand_input: "ExpandInput", **kwargs: Any) -> None:
        """Made by ``@task_group`` and ``.expand()``."""
        super().__init__(**kwargs)
        self._expand_input = expand_input

    @property
    def expand_input(self) -> "ExpandInput":
        """What it is mapped over."""
        return self._expand_input

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Puts the tasks that the mapping waits for before the group."""
        from airlock.sdk.definitions.xcom_arg import iter_references

        super().__exit__(kind, error, traceback)
        if kind is None:
            for operator in iter_references(self._expand_input.value):
                self.set_upstream(operator)


def _leaves(group: TaskGroup) -> "list[BaseOperator]":
    each: TaskGroup | None = group
    while each is not None:
        if leaves := list(each.get_leaves()):
            return leaves
        if each.upstream_task_ids:
            return [each.dag.get_task(task_id) for task_id in sorted(each.upstream_task_ids)]
        each = each.task_group
    return []


def _check_group_id(group_id: Any) -> None:
    if not isinstance(group_id, str):
        raise TypeError(f"group_id must be text, not {type(group_id).__name__}: {group_id!r}")
    if len(group_id) > _MAX_GROUP_ID:
        raise ValueError(f"group_id has {len(group_id)} characters; at most {_MAX_GROUP_ID} are allowed")
    if "." in group_id or (wrong := ids.problem(group_id)):
        raise ValueError(
            f"group_id {group_id!r} {'has a dot, which joins ids of groups' if '.' in group_id else wrong}"
        )


def _document(doc_md: str | None) -> str | None:
    """Returns a document; a name that ends with ``.md`` is read, if there is such a file."""
    if doc_md is not None and doc_md.endswith(".md") and os.path.isfile(doc_md):
        with open(doc_md, encoding="utf-8") as file:
            return file.read()
    return doc_md
