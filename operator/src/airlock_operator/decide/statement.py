"""Makes the status that says a reason: its message with advice, its timeline and its conditions. Pure."""

from datetime import datetime

import msgspec

from airlock_operator.decide.advice import advised
from airlock_operator.decide.case import Case
from airlock_operator.durations import micro_text, time_text
from airlock_operator.pod.workload import unnarrowed
from airlock_operator.reasons import Reason, waits
from airlock_operator.status.conditions import conditions
from airlock_operator.status.timeline import timeline
from airlock_wire.taskrun import Status

#: The status's note for a TaskRun in Secret mode that narrows nothing.
AS_AIRFLOW = "its task may read and write what Airflow lets any task: spec.access narrows nothing"


def say(
    case: Case,
    reason: Reason,
    message: str,
    *,
    state: str | None = None,
    base: Status | None = None,
    advise: bool = True,
) -> Status | None:
    """Returns the status with this reason; None if it says so already."""
    run, pod, now = case.run, case.pod, case.now
    base = base or run.status
    seen_at = run.times.seen_at or now
    status = msgspec.structs.replace(
        base,
        observed_generation=run.generation,
        seen_at=base.seen_at or micro_text(now),
        state=base.state if state is None else state,
        reason=str(reason),
        message=(advised(reason, message, run, pod) if advise and waits(reason) else message)[:1024],
    )
    marks = timeline(status.timeline, seen_at, pod, now, over=bool(status.finished_at))
    status = msgspec.structs.replace(status, timeline=marks)
    note = AS_AIRFLOW if unnarrowed(run) else ""
    rows = conditions(status, pod, time_text(now), run.generation, note)
    status = msgspec.structs.replace(status, conditions=rows)
    return None if status == run.status else status


def after_seen(start: datetime, now: datetime) -> float:
    """Returns the seconds since a TaskRun was first seen, to the millisecond."""
    return round((now - start).total_seconds(), 3)
