"""
Retries: whether there is another try, and when.
"""

from datetime import datetime, timedelta

from airlock_server.rules.scheduling.snapshot import Instance
from airlock_wire.dags.task import SerializedTask
from airlock_wire.retry_delay import next_delay
from airlock_wire.states import TaskInstanceState


def eligible(instance: Instance, retries: int | None) -> bool:
    """
    Tells whether an instance that failed gets another try. ``retries`` are the task's own; None: the task is not known.
    """
    if instance.state is TaskInstanceState.RESTARTING:
        return True
    return (retries is None or retries > 0) and instance.try_number <= instance.max_tries


def max_tries_after_clear(instance: Instance, retries: int | None) -> int:
    """Returns how many tries an instance may have after it was cleared; ``retries`` as for ``eligible``."""
    if retries is None:
        return max(instance.max_tries, instance.try_number)
    return instance.try_number + retries


def next_try(
    dag_id: str,
    task: SerializedTask,
    instance: Instance,
    logical_date: datetime | None,
    *,
    now: datetime,
    max_delay_seconds: float,
) -> datetime:
    """Returns from when on an instance that is up for retry may run again."""
    ended = instance.end_date or now
    if instance.retry_delay_override is not None:
        return ended + timedelta(seconds=instance.retry_delay_override)
    delay = next_delay(
        dag_id=dag_id,
        task_id=task.task_id,
        logical_date=logical_date,
        try_number=instance.try_number,
        delay_seconds=task.retry_delay_seconds,
        factor=task.retry_exponential_backoff,
        task_max_seconds=task.max_retry_delay_seconds,
        max_seconds=max_delay_seconds,
    )
    return ended + timedelta(seconds=delay)
