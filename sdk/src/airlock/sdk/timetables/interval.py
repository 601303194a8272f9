"""Timetables whose runs are for the intervals between moments, each after its end."""

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from airlock.sdk.timetables.cron import CronMixin
from airlock.sdk.timetables.delta import DeltaMixin
from airlock.sdk.timetables.runs import IntervalTimetable, Steps, now
from airlock.sdk.timetables.timetable import DataInterval
from airlock_wire.schedules import planning

if TYPE_CHECKING:
    from airlock.sdk.timetables.delta import Delta


class CronDataIntervalTimetable(CronMixin, IntervalTimetable):
    """A run for the time between two ticks of a cron expression."""

    _record: ClassVar[tuple[str, ...]] = ("expression", "timezone")

    def __init__(self, expression: str, timezone: str | dt.tzinfo) -> None:
        """``validate`` refuses an expression that is not one of cron."""
        self._take(expression, timezone)

    def _skip_to_latest(self, earliest: dt.datetime | None) -> dt.datetime:
        return planning.newest_interval(Steps(self), now(), earliest)

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the last whole interval before the moment."""
        end = self._align_to_prev(run_after)
        return DataInterval(self._get_prev(end), end)


class DeltaDataIntervalTimetable(DeltaMixin, IntervalTimetable):
    """A run for each step of time."""

    _record: ClassVar[tuple[str, ...]] = ("delta",)

    def __init__(self, delta: "Delta") -> None:
        """``validate`` refuses a step that does not lead into the future."""
        self.delta = delta

    def _skip_to_latest(self, earliest: dt.datetime | None) -> dt.datetime:
        return planning.newest_span(Steps(self), now(), earliest, self.delta)

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the step before the moment."""
        return DataInterval(self._get_prev(run_after), run_after)
