"""Which DAG and which group are open: ``with DAG(...)`` and ``with TaskGroup(...)`` put them here."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG
    from airlock.sdk.definitions.graph.taskgroup import TaskGroup

_dags: Final[list["DAG"]] = []
_groups: Final[list["TaskGroup"]] = []

#: Every DAG that was opened in this process (by `with` or `@dag`), in that order: a loader finds those here that no
#: module variable holds.
opened: Final[list["DAG"]] = []


#: The module of the DAG file that is being loaded; empty where none is.
_loaded_module = ""


@contextmanager
def loading(module_name: str) -> Iterator[None]:
    """Says that the module of this name is that of the DAG file which is loaded meanwhile."""
    global _loaded_module  # noqa: PLW0603 - as what is open, it is a state of this process
    before, _loaded_module = _loaded_module, module_name
    try:
        yield
    finally:
        _loaded_module = before


def maker(frame: FrameType) -> tuple[str, int, str]:
    """
    Returns the file, line and module that make a DAG, seen from a frame of the SDK.

    It is the DAG file that is being loaded where one of its lines leads there, by whichever function of whichever
    module. A line that imports another module does not count: what that makes at its top level is its own.
    """
    nearest = None
    each: FrameType | None = frame
    while each is not None and not each.f_code.co_filename.startswith("<frozen importlib"):
        name = each.f_globals.get("__name__", "")
        if nearest is None and not name.startswith("airlock."):
            nearest = each
        if name == _loaded_module:
            nearest = each
            break
        each = each.f_back
    nearest = nearest or frame
    return nearest.f_code.co_filename, nearest.f_lineno, nearest.f_globals.get("__name__", "")


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
