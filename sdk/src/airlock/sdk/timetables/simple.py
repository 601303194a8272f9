"""Timetables without arguments."""

import datetime as dt

from airlock.sdk.timetables.runs import now
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction, Timetable


class _SimpleTimetable(Timetable):
    periodic = False
    run_ordering = ("logical_date",)

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the moment."""
        return DataInterval.exact(run_after)


class NullTimetable(_SimpleTimetable):
    """No run but those that somebody starts: ``schedule=None``."""

    can_be_scheduled = False

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,  # noqa: ARG002 - it has no runs
        restriction: TimeRestriction,  # noqa: ARG002
    ) -> DagRunInfo | None:
        """Returns None."""
        return None


class OnceTimetable(_SimpleTimetable):
    """One run, as soon as may be: ``schedule="@once"``."""

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run, None after it."""
        run_after = restriction.earliest or now()
        late = restriction.latest is not None and run_after > restriction.latest
        return None if last_automated_data_interval is not None or late else DagRunInfo.exact(run_after)


class ContinuousTimetable(_SimpleTimetable):
    """A run after the other, without a pause: ``schedule="@continuous"``."""

    active_runs_limit = 1

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run from the end of the last one until now."""
        present, last = now(), last_automated_data_interval
        start = restriction.earliest or present
        end = max(start, present)
        if last is not None and last.end <= present:
            start, end = last.end, present
        elif last is not None:
            end = start + (last.end - last.start)
        return None if restriction.latest is not None and end > restriction.latest else DagRunInfo.interval(start, end)
