"""
The runs of the timetables that come with Airlock, for timetables of an author's that extend them.

``_get_next`` and the methods beside it are Airflow's names: such a timetable overrides them, or calls them.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias

from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airlock.sdk.timezone import coerce_datetime, utcnow
from airlock_wire.schedules import planning

_Step: TypeAlias = Callable[[dt.datetime], dt.datetime]


class Steps:
    """The steps of a timetable, as the rules ask for them."""

    def __init__(self, timetable: Any) -> None:
        """Looks the steps up, because an author's own methods count."""
        self.after: _Step = timetable._get_next  # noqa: SLF001 - Airflow's names of what an author overrides
        self.before: _Step = timetable._get_prev  # noqa: SLF001
        self.align_up: _Step = timetable._align_to_next  # noqa: SLF001
        self.align_down: _Step = timetable._align_to_prev  # noqa: SLF001


class IntervalTimetable(Timetable):
    """A timetable whose runs are for the time between two steps, after its end."""

    def _skip_to_latest(self, earliest: dt.datetime | None) -> dt.datetime:
        """Returns where the interval starts that ended last, or the first one after ``earliest``."""
        raise NotImplementedError(f"{type(self).__name__} must implement _skip_to_latest")

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run after the one of this interval, None for no further run."""
        bounds = planning.Bounds(*restriction)
        interval = planning.next_interval(Steps(self), last_automated_data_interval, bounds, self._skip_to_latest)
        return None if interval is None else DagRunInfo.interval(*interval)


class TriggerTimetable(Timetable):
    """A timetable whose runs come at a step, for the ``interval`` before it."""

    interval: Any

    def _calc_first_run(self) -> dt.datetime:
        """Returns the first run of a DAG without a start date."""
        return Steps(self).align_down(now())

    def _next_step(self, last: dt.datetime | None, restriction: TimeRestriction) -> dt.datetime | None:
        bounds = planning.Bounds(*restriction)
        return planning.next_trigger(Steps(self), last, bounds, now(), self._calc_first_run)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run after the one of this interval, None for no further run."""
        last = last_automated_data_interval
        step = self._next_step(None if last is None else last.end, restriction)
        return None if step is None else DagRunInfo.interval(coerce_datetime(step - self.interval), step)

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the interval before the moment."""
        return DataInterval(coerce_datetime(run_after - self.interval), run_after)


def now() -> dt.datetime:
    """Returns the present moment, as timetables see it."""
    return coerce_datetime(utcnow())
