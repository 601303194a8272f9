"""DAGs: named sets of tasks, written as ``with DAG("name"):`` or with ``@dag``."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, overload

from airlock.sdk._names import near
from airlock.sdk._task import Task, check_id, checked

_NAMES = ("dag_id", "schedule", "start_date", "tags", "params", "default_args", "description", "doc_md")

_open: list["DAG"] = []

#: Every DAG that was opened in this process (by `with` or `@dag`), in that order: a loader finds those here that no
#: module variable holds.
opened: list["DAG"] = []


class DAG:
    """
    A set of tasks that run together.

    Usage: ``with DAG("hello", tags=["demo"]) as dag:`` and, inside, calls of `@task` functions. ``default_args`` are
    task options (of `@task`) for all of its tasks. ``file`` and ``line`` say where it was made.
    """

    def __init__(
        self,
        dag_id: str,
        *,
        schedule: Any = None,
        start_date: datetime | None = None,
        tags: Sequence[str] = (),
        params: Mapping[str, Any] | None = None,
        default_args: Mapping[str, Any] | None = None,
        description: str | None = None,
        doc_md: str | None = None,
        **unknown: Any,
    ) -> None:
        """Raises TypeError or ValueError, naming the argument and the fix, for an argument that a DAG cannot have."""
        for name in unknown:
            raise TypeError(f"DAG {dag_id!r} has no argument {name!r}; {near(name, _NAMES)}")
        self.dag_id = check_id(dag_id, "DAG: dag_id")
        if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
            raise TypeError(f"DAG {dag_id!r}: tags must be a list of texts, not {tags!r}")
        if start_date is not None and not isinstance(start_date, datetime):
            raise TypeError(f"DAG {dag_id!r}: start_date must be a datetime, not {start_date!r}")
        self.schedule = schedule
        self.start_date = start_date
        self.tags = sorted(set(tags))
        self.params = dict(params or {})
        self.default_args = dict(default_args or {})
        self.task_defaults = checked(self.default_args, f"DAG {dag_id!r}: default_args")
        self.description = description
        self.doc_md = doc_md
        self.tasks: dict[str, Task] = {}
        self.file, self.line = _caller()

    @property
    def task_ids(self) -> list[str]:
        """The ids of its tasks, in the order they were made."""
        return list(self.tasks)

    def get_task(self, task_id: str) -> Task:
        """Returns the task of this id; KeyError naming near ones."""
        try:
            return self.tasks[task_id]
        except KeyError:
            raise KeyError(f"DAG {self.dag_id!r} has no task {task_id!r}; {near(task_id, self.tasks)}") from None

    def free_task_id(self, base: str) -> str:
        """``base``, or ``base__1``, ``base__2``, ... when the same task was called before."""
        task_id, number = base, 0
        while task_id in self.tasks:
            number += 1
            task_id = f"{base}__{number}"
        return task_id

    def add_task(self, task: Task) -> None:
        """Adds a task, whose id must be free."""
        self.tasks[task.task_id] = task

    def cycle(self) -> list[str]:
        """Returns the ids along a cycle of dependencies, the first repeated as the last; empty if there is no cycle."""
        finished_ids: set[str] = set()
        path: list[str] = []

        def visit(task_id: str) -> list[str]:
            if task_id in path:
                return [*path[path.index(task_id) :], task_id]
            if task_id in finished_ids:
                return []
            path.append(task_id)
            for after in sorted(self.tasks[task_id].downstream_task_ids):
                if loop := visit(after):
                    return loop
            finished_ids.add(path.pop())
            return []

        return next((loop for task_id in self.tasks if (loop := visit(task_id))), [])

    def __enter__(self) -> Self:
        """Makes this the DAG that tasks are added to from here on."""
        _open.append(self)
        opened.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Makes the outer DAG, if there is one, the DAG that tasks are added to again."""
        _open.pop()

    def __repr__(self) -> str:
        """Returns the id."""
        return f"<DAG {self.dag_id}>"


def open_dag() -> DAG | None:
    """Returns the DAG that tasks are being added to."""
    return _open[-1] if _open else None


@overload
def dag(function: Callable[..., Any], /) -> Callable[..., DAG]: ...
@overload
def dag(dag_id: str | None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., DAG]]: ...
def dag(dag_id: Callable[..., Any] | str | None = None, /, **options: Any) -> Any:
    """
    Makes a function that calls tasks a DAG: ``@dag`` or ``@dag("name", tags=[...])``. Call it once to make the DAG.

    The id is the function's name unless given; the function's docstring becomes ``doc_md``.
    """
    name = None if callable(dag_id) else dag_id

    def decorate(function: Callable[..., Any]) -> Callable[..., DAG]:
        def make(*args: Any, **kwargs: Any) -> DAG:
            defaults = {"dag_id": function.__name__ if name is None else name, "doc_md": function.__doc__}
            with DAG(**{**defaults, **options}) as new_dag:
                function(*args, **kwargs)
            return new_dag

        make.__name__, make.__doc__, make.__module__ = function.__name__, function.__doc__, function.__module__
        return make

    return decorate(dag_id) if callable(dag_id) else decorate


def _caller() -> tuple[str, int]:
    """Returns the file and line outside this module from which a DAG is being made."""
    frame = sys._getframe(2)  # noqa: SLF001 - the one way to know it without the cost of `inspect`
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
