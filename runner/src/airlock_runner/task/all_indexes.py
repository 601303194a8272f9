"""``xcom_pull`` of mapped tasks: the values of all their indexes."""

from functools import partial
from typing import TYPE_CHECKING, Any

from airlock.sdk.execution_time.lazy_sequence import LazyXComSequence

if TYPE_CHECKING:
    from airlock_runner.task.task_instance import RunningTaskInstance


def pull(
    ti: "RunningTaskInstance",
    task_ids: list[str],
    key: str,
    dag_id: str | None,
    run_id: str | None,
    default: Any,
    *,
    one: bool,
) -> Any:
    """
    Returns the values of all tasks and indexes, in their order. ``one``: one task was asked for, and a single value of
    it comes without a list, as Airflow has it.
    """
    values: list[Any] = []
    for task_id in task_ids:
        of_task = LazyXComSequence(dag_id or ti.dag_id, run_id or ti.run_id, task_id, key, partial(ti.read, key))[:]
        values.extend(of_task or ([] if one else [default]))
    return values[0] if one and len(values) == 1 else values
