"""Timetables whose runs are for the intervals between moments, each after its end."""

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from airlock.sdk.timetables.cron import CronMixin
from airlock.sdk.timetables.definition import BaseTimetable
from airlock.sdk.timetables.delta import DeltaMixin

if TYPE_CHECKING:
    from airlock.sdk.timetables.delta import Delta


class CronDataIntervalTimetable(CronMixin, BaseTimetable):
    """A run for the time between two ticks of a cron expression."""

    _record: ClassVar[tuple[str, ...]] = ("expression", "timezone")

    def __init__(self, expression: str, timezone: str | dt.tzinfo) -> None:
        """``validate`` refuses an expression that is not one of cron."""
        self._take(expression, timezone)


class DeltaDataIntervalTimetable(DeltaMixin, BaseTimetable):
    """A run for each step of time."""

    _record: ClassVar[tuple[str, ...]] = ("delta",)

    def __init__(self, delta: "Delta") -> None:
        """``validate`` refuses a step that does not lead into the future."""
        self.delta = delta
