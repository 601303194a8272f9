"""
Retries: whether there is another try, and when.
"""

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

from airlock_server.rules.scheduling.snapshot import Instance
from airlock_wire.dags.task import SerializedTask
from airlock_wire.states import TaskInstanceState

#: Seconds that a delay that grows with each try may reach, unless a setting says otherwise.
MAX_DELAY_SECONDS: Final = 86_400.0


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
    max_delay_seconds: float = MAX_DELAY_SECONDS,
) -> datetime:
    """Returns from when on an instance that is up for retry may run again."""
    ended = instance.end_date or now
    if instance.retry_delay_override is not None:
        return ended + timedelta(seconds=instance.retry_delay_override)
    return ended + timedelta(seconds=delay(dag_id, task, instance.try_number, logical_date, max_delay_seconds))


def delay(
    dag_id: str,
    task: SerializedTask,
    try_number: int,
    logical_date: datetime | None,
    max_delay_seconds: float = MAX_DELAY_SECONDS,
) -> float:
    """
    Returns the seconds between a try and the next one.

    A delay that grows has a part that differs from task to task, so that tasks that failed together do not come back
    together. It follows from the names, and is Airflow's own.
    """
    factor = task.retry_exponential_backoff
    if factor in (0, 1):
        return task.retry_delay_seconds
    try:
        base = max(1, math.ceil(task.retry_delay_seconds * factor ** (try_number - 1)))
    except OverflowError:
        base = math.ceil(max_delay_seconds)
    name = f"{dag_id}#{task.task_id}#{logical_date}#{try_number}"
    spread = int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % base
    seconds = min(base + spread, max_delay_seconds)
    own = task.max_retry_delay_seconds
    return min(seconds, own) if own else seconds
