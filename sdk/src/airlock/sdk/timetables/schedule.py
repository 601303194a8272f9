"""The timetable of a DAG's ``schedule=``."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from airlock.sdk.basis.settings import switch
from airlock.sdk.timetables.definition import BaseTimetable
from airlock.sdk.timetables.delta import is_delta


def from_schedule(schedule: Any, *, timezone: str | dt.tzinfo = "UTC") -> BaseTimetable:
    """
    Returns the timetable of a schedule; ``timezone`` is that of the DAG's start date.

    None, ``@once`` and ``@continuous`` have their own. Another text is a cron expression or preset. A timedelta or
    relativedelta is a step. An asset, a condition or a list of assets starts runs by events. A timetable is itself.
    ``[scheduler] create_cron_data_intervals`` makes runs of texts and steps be for intervals.

    Raises AirlockTimetableInvalid for a cron expression or step that cannot be, and ValueError for anything else.
    """
    timetable = _timetable(schedule, timezone)
    timetable.validate()
    return timetable


def _timetable(schedule: Any, timezone: str | dt.tzinfo) -> BaseTimetable:
    if isinstance(schedule, BaseTimetable):
        return schedule
    if schedule is None or schedule in ("@once", "@continuous"):
        from airlock.sdk.timetables import simple

        simple_ones = {None: simple.NullTimetable, "@once": simple.OnceTimetable}
        return simple_ones.get(schedule, simple.ContinuousTimetable)()
    if isinstance(schedule, str) or is_delta(schedule):
        return _of_time(schedule, timezone)
    from airlock.sdk.definitions.asset.conditions import AssetAll, BaseAsset  # deferred: few DAGs are started by assets
    from airlock.sdk.timetables.assets import AssetTriggeredTimetable

    if isinstance(schedule, BaseAsset):
        return AssetTriggeredTimetable(schedule)
    if isinstance(schedule, Collection) and all(isinstance(each, BaseAsset) for each in schedule):
        return AssetTriggeredTimetable(AssetAll(*schedule))
    raise ValueError(
        f"schedule={schedule!r} is not a schedule; use None, a cron expression or preset like '@daily', a timedelta, "
        "an asset or a list of assets, or a timetable"
    )


def _of_time(schedule: Any, timezone: str | dt.tzinfo) -> BaseTimetable:
    # The one option decides for steps too, as in Airflow.
    if switch("scheduler", "create_cron_data_intervals", default=False):
        from airlock.sdk.timetables import interval

        if isinstance(schedule, str):
            return interval.CronDataIntervalTimetable(schedule, timezone)
        return interval.DeltaDataIntervalTimetable(schedule)
    from airlock.sdk.timetables import trigger

    if isinstance(schedule, str):
        return trigger.CronTriggerTimetable(schedule, timezone)
    return trigger.DeltaTriggerTimetable(schedule)
