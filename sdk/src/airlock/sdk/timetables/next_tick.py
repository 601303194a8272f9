"""The run that follows another by a schedule: what a task can say of it without the scheduler."""

from datetime import datetime
from typing import Any

from airlock.sdk.timetables.cron import next_tick
from airlock.sdk.timetables.delta import DeltaMixin
from airlock.sdk.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airlock.sdk.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable


def end_of_next(timetable: Any, start: datetime, end: datetime) -> datetime | None:
    """
    Returns the end of the data interval after this one; None where the schedule has no next one, or counts from each
    run anew.
    """
    if isinstance(timetable, CronDataIntervalTimetable | CronTriggerTimetable):
        return next_tick(timetable.expression, timetable.timezone, end)
    if isinstance(timetable, MultipleCronTriggerTimetable):
        return min(next_tick(each.expression, each.timezone, end) for each in timetable.timetables)
    if isinstance(timetable, DeltaDataIntervalTimetable):
        following: datetime = end + timetable.delta
        return following
    if isinstance(timetable, DeltaMixin):
        return None
    inner = getattr(timetable, "timetable", None)
    del start
    return end_of_next(inner, end, end) if inner is not None else None
