"""Which DAG and which group are open: ``with DAG(...)`` and ``with TaskGroup(...)`` put them here."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup

_dags: Final[list["DAG"]] = []
_groups: Final[list["TaskGroup"]] = []

#: Every DAG that was opened in this process (by `with` or `@dag`), in that order: a loader finds those here that no
#: module variable holds.
opened: Final[list["DAG"]] = []


def push_dag(dag: "DAG") -> None:
    """Makes this the DAG that tasks are added to."""
    _dags.append(dag)
    if dag.auto_register:
        opened.append(dag)


def pop_dag() -> None:
    """Closes the innermost DAG."""
    _dags.pop()


def push_group(group: "TaskGroup") -> None:
    """Makes this the group that tasks are added to."""
    _groups.append(group)


def pop_group() -> None:
    """Closes the innermost group."""
    _groups.pop()


def open_dag() -> "DAG | None":
    """Returns the DAG that tasks are being added to."""
    return _dags[-1] if _dags else None


def open_group(dag: "DAG | None") -> "TaskGroup | None":
    """Returns the group that tasks of a DAG are being added to: the innermost open one, else the DAG's root."""
    if _groups and (dag is None or _groups[-1].dag is dag):
        return _groups[-1]
    return dag.task_group if dag is not None else None
