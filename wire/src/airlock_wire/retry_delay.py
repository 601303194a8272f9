"""
How long a task that failed waits for its next try: Airflow's rule, for whoever makes the next try. Pure.
"""

import hashlib
import math
from datetime import datetime
from typing import Final

#: Seconds that a delay that grows with each try may reach, unless a setting says otherwise.
MAX_DELAY_SECONDS: Final = 86_400.0


def next_delay(
    *,
    dag_id: str,
    task_id: str,
    logical_date: datetime | None,
    try_number: int,
    delay_seconds: float,
    factor: float = 0.0,
    task_max_seconds: float | None = None,
    max_seconds: float = MAX_DELAY_SECONDS,
) -> float:
    """
    Returns the seconds between a try and the next one. ``factor`` is the task's ``retry_exponential_backoff``: the
    delay is multiplied with it after each try, and stays as it is for 0 and 1.

    A delay that grows has a part that differs from task to task, so that tasks that failed together do not come back
    together. It follows from the names, and is Airflow's own.
    """
    if factor in (0, 1):
        return delay_seconds
    try:
        base = max(1, math.ceil(delay_seconds * factor ** (try_number - 1)))
    except OverflowError:
        base = math.ceil(max_seconds)
    name = f"{dag_id}#{task_id}#{logical_date}#{try_number}"
    spread = int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % base
    seconds = min(base + spread, max_seconds)
    return min(seconds, task_max_seconds) if task_max_seconds else seconds
