"""XComArg: the return value that a task will have, standing in for it while the DAG is written."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from airlock.sdk._edges import Edges
from airlock.sdk._task import Task

RETURN_VALUE: Final = "return_value"


class XComArg(Edges):
    """
    What calling a task gives. Pass it to another task, which then runs later and gets the value.

    ``arg["key"]`` stands for one key of a task with ``multiple_outputs``.
    """

    def __init__(self, task: Task, key: str = RETURN_VALUE) -> None:
        """Stands for the XCom ``key`` of ``task``."""
        self.task = task
        self.key = key

    def as_task(self) -> Task:
        """Returns the task whose value this is."""
        return self.task

    def __getitem__(self, key: str) -> "XComArg":
        """Returns the XCom that the task pushes under this key."""
        if not isinstance(key, str):
            raise TypeError(
                f"the value of task {self.task.task_id!r} is not known while the DAG is written, so it has no item "
                f"{key!r} yet; take the item inside the task that uses it"
            )
        return XComArg(self.task, key)

    def __iter__(self) -> Iterator[Any]:
        """Raises TypeError: the value is not known before the task has run."""
        raise TypeError(
            f"the value of task {self.task.task_id!r} is not known while the DAG is written; "
            "pass it to another task and go through it there"
        )

    def __str__(self) -> str:
        """Returns a template that becomes the value, so that an f-string in a templated argument works."""
        dag_id, task_id = self.task.dag.dag_id, self.task.task_id
        return f"{{{{ ti.xcom_pull(task_ids={task_id!r}, dag_id={dag_id!r}, key={self.key!r}) }}}}"

    def __repr__(self) -> str:
        """Returns the task and the key."""
        return f"XComArg({self.task!r}, key={self.key!r})"


def args_in(value: Any) -> Iterator[XComArg]:
    """Yields every XComArg in an argument, at any depth of lists, tuples, sets and dict values."""
    if isinstance(value, XComArg):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from args_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from args_in(item)


def replaced(value: Any, arg: Callable[[XComArg], Any], text: Callable[[str], Any]) -> Any:
    """
    Returns the argument with every XComArg and every string replaced, in new containers. Anything else is kept.
    """
    if isinstance(value, XComArg):
        return arg(value)
    if type(value) is str:
        return text(value)
    if type(value) is dict:
        return {key: replaced(item, arg, text) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(replaced(item, arg, text) for item in value)
    return value
