"""Timetables by the old paths of Airflow's core, whose arguments have other names there."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from airlock.sdk.timetables import events, interval, trigger

if TYPE_CHECKING:
    from airlock.sdk.timetables.delta import Delta

__all__ = ["CronDataIntervalTimetable", "CronTriggerTimetable", "EventsTimetable"]

_NOTHING: Final = dt.timedelta()


class CronTriggerTimetable(trigger.CronTriggerTimetable):
    """A run at each tick of a cron expression."""

    def __init__(
        self,
        cron: str,
        *,
        timezone: str | dt.tzinfo,
        interval: "Delta" = _NOTHING,
        run_immediately: bool | dt.timedelta = False,
    ) -> None:
        """``cron`` is the expression."""
        super().__init__(cron, timezone, interval=interval, run_immediately=run_immediately)


class CronDataIntervalTimetable(interval.CronDataIntervalTimetable):
    """A run for the time between two ticks of a cron expression."""

    def __init__(self, cron: str, timezone: str | dt.tzinfo) -> None:
        """``cron`` is the expression."""
        super().__init__(cron, timezone)


class EventsTimetable(events.EventsTimetable):
    """A run at each of a list of moments."""

    def __init__(
        self,
        event_dates: Iterable[dt.datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,
        description: str | None = None,
    ) -> None:
        """Takes by position what the SDK's takes by name."""
        super().__init__(
            event_dates, restrict_to_events=restrict_to_events, presorted=presorted, description=description
        )
