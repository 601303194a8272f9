"""Skipping: what a branch, a short circuit and "latest only" do to the tasks after them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from airlock.sdk._names import near
from airlock.sdk.exceptions import AirlockException, DownstreamTasksSkipped
from airlock.sdk.execution_time import log

if TYPE_CHECKING:
    from logging import Logger

    from airlock.sdk.definitions.graph.node import DAGNode

#: The XCom in which a task keeps what it skipped or followed, for a later clear of what comes after it.
XCOM_SKIPMIXIN_KEY: Final = "skipmixin_key"
XCOM_SKIPMIXIN_SKIPPED: Final = "skipped"
XCOM_SKIPMIXIN_FOLLOWED: Final = "followed"
_LOGGER = "airlock.task.skipmixin"


class SkipMixin:
    """Skips tasks of the running DAG run. A mapped task only keeps what is skipped: each index looks for itself."""

    def __init__(self, context: Any = None, **kwargs: Any) -> None:
        """Takes part in the chain of ``__init__`` of an operator."""
        del context
        super().__init__(**kwargs)

    @property
    def log(self) -> "Logger":
        """Its logger."""
        import logging

        return logging.getLogger(f"{type(self).__module__}.{type(self).__name__}")

    def skip(self, ti: Any, tasks: "Iterable[DAGNode]") -> None:
        """Skips these tasks. For a task that is not mapped it raises DownstreamTasksSkipped, which the runner obeys."""
        task_ids = [each.node_id for each in tasks if getattr(each, "task_id", None) is not None]
        if not task_ids:
            return
        if getattr(self, "task_id", None) is not None:
            ti.xcom_push(key=XCOM_SKIPMIXIN_KEY, value={XCOM_SKIPMIXIN_SKIPPED: task_ids})
        _hand_over(task_ids, ti.map_index)

    def skip_all_except(self, ti: Any, branch_task_ids: str | Iterable[str] | None) -> None:
        """
        Skips the tasks directly after this one that are neither named nor come after a named one. Raises
        AirlockException for a name that the DAG does not have.
        """
        chosen = _chosen(branch_task_ids)
        dag = ti.task.dag
        log.line("info", f"Following branch {sorted(chosen)}", _LOGGER)
        if unknown := sorted(chosen - set(dag.task_ids)):
            raise AirlockException(
                f"'branch_task_ids' must contain only valid task_ids. Invalid tasks found: {unknown}; "
                f"{near(unknown[0], dag.task_ids)}"
            )
        after = ti.task.downstream_list
        if not after:
            return
        followed = set(chosen)
        for task_id in chosen:
            followed |= dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        skipped = [(each.task_id, ti.map_index) for each in after if each.task_id not in followed]
        log.line("info", f"Skipping tasks {sorted(task_id for task_id, _ in skipped)}", _LOGGER)
        ti.xcom_push(
            key=XCOM_SKIPMIXIN_KEY,
            value={XCOM_SKIPMIXIN_FOLLOWED: sorted(each.task_id for each in after if each.task_id in followed)},
        )
        _hand_over(sorted(skipped), ti.map_index)


def _hand_over(tasks: list[Any], map_index: int) -> None:
    if tasks and map_index == -1:
        raise DownstreamTasksSkipped(tasks=tasks)


def _chosen(branch_task_ids: Any) -> set[str]:
    if branch_task_ids is None:
        return set()
    if isinstance(branch_task_ids, str):
        return {branch_task_ids}
    if not isinstance(branch_task_ids, Iterable):
        raise AirlockException(
            "'branch_task_ids' must be either None, a task ID, or an Iterable of IDs, but got "
            f"{type(branch_task_ids).__name__!r}."
        )
    ids = list(branch_task_ids)
    if wrong := [each for each in ids if not isinstance(each, str)]:
        raise AirlockException(
            f"Unable to branch to the specified tasks: {wrong[0]!r} is of type {type(wrong[0]).__name__}; return ids "
            "of tasks or groups"
        )
    return set(ids)
