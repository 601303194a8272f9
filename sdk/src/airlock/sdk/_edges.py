"""Dependencies between tasks: ``a >> b``, ``a << b``, lists on either side, and the spelt-out methods."""

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from airlock.sdk._task import Task

#: What stands on either side of `>>`: a task or its XComArg, or a list of them.
Others: TypeAlias = Any
T = TypeVar("T")


class Edges:
    """Something that stands for a task of a DAG and can be put before or after others."""

    def as_task(self) -> "Task":
        """Returns the task this stands for."""
        raise NotImplementedError

    def set_downstream(self, others: Others) -> None:
        """Makes the other tasks run after this one."""
        for other in tasks_in(others):
            connect(self.as_task(), other)

    def set_upstream(self, others: Others) -> None:
        """Makes the other tasks run before this one."""
        for other in tasks_in(others):
            connect(other, self.as_task())

    def __rshift__(self, others: T) -> T:
        """Does ``self >> others``; returns the others, so that a chain can continue."""
        self.set_downstream(others)
        return others

    def __lshift__(self, others: T) -> T:
        """Does ``self << others``; returns the others, so that a chain can continue."""
        self.set_upstream(others)
        return others

    def __rrshift__(self, others: Any) -> "Edges":
        """Does ``[a, b] >> self``."""
        self.set_upstream(others)
        return self

    def __rlshift__(self, others: Any) -> "Edges":
        """Does ``[a, b] << self``."""
        self.set_downstream(others)
        return self


def tasks_in(others: Others) -> list["Task"]:
    """Returns the tasks that an operand of ``>>`` stands for; raises TypeError for anything else."""
    if isinstance(others, Edges):
        return [others.as_task()]
    if isinstance(others, list | tuple | set | frozenset):
        return [task for other in others for task in tasks_in(other)]
    hint = "; call the task: its function alone is not a task yet" if callable(others) else ""
    raise TypeError(f"{others!r} is not a task, so nothing can run before or after it{hint}")


def connect(before: "Task", after: "Task") -> None:
    """Makes ``before`` run before ``after``; both must be in one DAG."""
    if before.dag is not after.dag:
        raise ValueError(
            f"task {before.task_id!r} is in DAG {before.dag.dag_id!r} and task {after.task_id!r} in DAG "
            f"{after.dag.dag_id!r}; a dependency stays within one DAG"
        )
    if before is after:
        raise ValueError(f"task {before.task_id!r} cannot run before itself; remove this dependency")
    before.downstream_task_ids.add(after.task_id)
    after.upstream_task_ids.add(before.task_id)
