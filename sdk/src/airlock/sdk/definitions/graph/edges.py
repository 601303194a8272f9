"""Arrows: ``a >> b``, ``a << b``, lists on either side, ``a >> Label("why") >> b``, and the spelt-out methods."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.node import DAGNode

#: What stands on either side of `>>`: a task, its XComArg, a group or a label, or a list of them.
Others: TypeAlias = Any
T = TypeVar("T")


class DependencyMixin:
    """Something that can be put before or after others."""

    @property
    def roots(self) -> "Sequence[DependencyMixin]":
        """What has to be put after others to put this after them."""
        raise NotImplementedError

    @property
    def leaves(self) -> "Sequence[DependencyMixin]":
        """What has to be put before others to put this before them."""
        raise NotImplementedError

    def set_upstream(self, task_or_task_list: Others, edge_modifier: "EdgeModifier | None" = None) -> None:
        """Makes the others run before this."""
        raise NotImplementedError

    def set_downstream(self, task_or_task_list: Others, edge_modifier: "EdgeModifier | None" = None) -> None:
        """Makes the others run after this."""
        raise NotImplementedError

    def update_relative(
        self, other: "DependencyMixin", upstream: bool = True, edge_modifier: "EdgeModifier | None" = None
    ) -> None:
        """Notes that ``other`` was put before this (``upstream``) or after it. Groups keep such notes for the graph."""

    def as_setup(self) -> "DependencyMixin":
        """Makes this a setup."""
        raise NotImplementedError

    def as_teardown(self, *, setups: Others = None, on_failure_fail_dagrun: Any = None) -> "DependencyMixin":
        """Makes this a teardown."""
        raise NotImplementedError

    def __rshift__(self, other: T) -> T:
        """Does ``self >> other``; returns the other, so that a chain can continue."""
        self.set_downstream(other)
        return other

    def __lshift__(self, other: T) -> T:
        """Does ``self << other``; returns the other, so that a chain can continue."""
        self.set_upstream(other)
        return other

    def __rrshift__(self, other: Any) -> "DependencyMixin":
        """Does ``[a, b] >> self``."""
        self.set_upstream(other)
        return self

    def __rlshift__(self, other: Any) -> "DependencyMixin":
        """Does ``[a, b] << self``."""
        self.set_downstream(other)
        return self


def operands(others: Others) -> Iterator[DependencyMixin]:
    """Yields what an operand of ``>>`` stands for; raises TypeError for anything that is not in a DAG."""
    if isinstance(others, DependencyMixin):
        yield others
    elif isinstance(others, list | tuple | set | frozenset):
        for other in others:
            yield from operands(other)
    else:
        hint = "; call the task: its function alone is not a task yet" if callable(others) else ""
        raise TypeError(f"{others!r} is not a task, so nothing can run before or after it{hint}")


class EdgeInfoType(TypedDict):
    """What is known of an arrow."""

    label: str | None


class EdgeModifier(DependencyMixin):
    """The label of the arrows that are drawn through it. ``label`` None leaves them without one."""

    def __init__(self, label: str | None = None) -> None:
        """Stands between what is put before and after it."""
        self.label = label
        self._before: list[DependencyMixin] = []
        self._after: list[DependencyMixin] = []

    @property
    def roots(self) -> Sequence[DependencyMixin]:
        """What was put after the label."""
        return self._after

    @property
    def leaves(self) -> Sequence[DependencyMixin]:
        """What was put before the label."""
        return self._before

    def set_upstream(self, task_or_task_list: Others, edge_modifier: "EdgeModifier | None" = None) -> None:
        """Draws labelled arrows from the others to everything that is after the label."""
        del edge_modifier
        new = list(operands(task_or_task_list))
        self._before += new
        for before in new:
            for after in self._after:
                before.set_downstream(after, edge_modifier=self)

    def set_downstream(self, task_or_task_list: Others, edge_modifier: "EdgeModifier | None" = None) -> None:
        """Draws labelled arrows from everything that is before the label to the others."""
        del edge_modifier
        new = list(operands(task_or_task_list))
        self._after += new
        for before in self._before:
            for after in new:
                before.set_downstream(after, edge_modifier=self)

    def add_edge_info(self, dag: "DAG", upstream_id: str, downstream_id: str) -> None:
        """Keeps the label of one arrow in its DAG."""
        if self.label is not None:
            dag.set_edge_info(upstream_id, downstream_id, {"label": self.label})


def Label(label: str) -> EdgeModifier:  # noqa: N802 - Airflow's name, and an example of its use
    """Returns what gives an arrow its text: it stands between both ends, as in ``a >> ... >> b``."""
    return EdgeModifier(label=label)


def chain(*tasks: Others) -> None:
    """
    Puts each argument before the next one. Two lists of one length side by side are joined pair by pair.

    Raises ValueError for neighbouring lists of different lengths.
    """
    for before, after in pairwise(tasks):
        _checked(before)
        _checked(after)
        if not _is_list(before):
            before.set_downstream(after)
        elif not _is_list(after):
            after.set_upstream(before)
        elif len(before) != len(after):
            raise ValueError(
                f"chain() joins neighbouring lists pair by pair, and these have {len(before)} and {len(after)} items; "
                "use chain_linear() to join each with all"
            )
        else:
            for one, other in zip(before, after, strict=True):
                one.set_downstream(other)


def cross_downstream(from_tasks: Sequence[DependencyMixin], to_tasks: Others) -> None:
    """Puts each of ``from_tasks`` before all of ``to_tasks``."""
    for task in from_tasks:
        task.set_downstream(to_tasks)


def chain_linear(*elements: Others) -> None:
    """
    Puts everything in one argument before everything in the next. Empty lists are passed over. Raises ValueError for
    labels, and where it would draw no arrow.
    """
    if not elements:
        raise ValueError("chain_linear() got no tasks; give it at least two")
    before: Others = None
    arrows = False
    for element in elements:
        _checked(element)
        if isinstance(element, EdgeModifier):
            raise ValueError("chain_linear() takes no labels: write the arrow of a label with >>")
        if _is_list(element) and not element:
            continue
        if before is not None:
            for one in before if _is_list(before) else [before]:
                one.set_downstream(element)
            arrows = True
        before = element
    if not arrows:
        raise ValueError("chain_linear() got fewer than two arguments with tasks, so it draws no arrow")


def _is_list(operand: Others) -> bool:
    return isinstance(operand, Sequence) and not isinstance(operand, str)


def _checked(operand: Others) -> None:
    if not isinstance(operand, DependencyMixin) and not _is_list(operand):
        raise TypeError(f"a chain has tasks, groups, labels and lists of them; {operand!r} is neither")


def connect(before: "DAGNode", after: "DAGNode", label: EdgeModifier | None = None) -> None:
    """Makes ``before`` run before ``after``; both must be tasks of one DAG."""
    if before.get_dag() is not after.get_dag():
        raise ValueError(
            f"task {before.node_id!r} is in DAG {_dag_id(before)} and task {after.node_id!r} in DAG {_dag_id(after)}; "
            "a dependency stays within one DAG"
        )
    if before is after:
        raise ValueError(f"task {before.node_id!r} cannot run before itself; remove this dependency")
    before.downstream_task_ids.add(after.node_id)
    after.upstream_task_ids.add(before.node_id)
    dag = before.get_dag()
    if label is not None and dag is not None:
        label.add_edge_info(dag, before.node_id, after.node_id)


def _dag_id(node: "DAGNode") -> str:
    dag = node.get_dag()
    return repr(dag.dag_id) if dag is not None else "(none)"
