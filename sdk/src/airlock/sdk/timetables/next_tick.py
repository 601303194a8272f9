"""The run that follows another by a schedule: what a task can say of it without the scheduler."""

from datetime import datetime
from typing import Any

from airlock.sdk.timetables.delta import DeltaMixin
from airlock.sdk.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airlock.sdk.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable


def end_of_next(timetable: Any, start: datetime, end: datetime) -> datetime | None:
    """
    Returns the end of the data interval after this one; None where the schedule has no next one, or counts from each
    run anew.
    """
    if isinstance(timetable, CronDataIntervalTimetable | CronTriggerTimetable):
        return timetable._get_next(end)  # noqa: SLF001 - Airflow's name of it
    if isinstance(timetable, MultipleCronTriggerTimetable):
        return min(each._get_next(end) for each in timetable.timetables)  # noqa: SLF001 - the same
    if isinstance(timetable, DeltaDataIntervalTimetable):
        following: datetime = end + timetable.delta
        return following
    if isinstance(timetable, DeltaMixin):
        return None
    inner = getattr(timetable, "timetable", None)
    del start
    return end_of_next(inner, end, end) if inner is not None else None
