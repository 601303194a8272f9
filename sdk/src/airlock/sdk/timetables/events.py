"""A timetable of a list of moments."""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

from airlock.sdk.timetables.runs import now
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction, Timetable


class EventsTimetable(Timetable):
    """
    A run at each of a list of moments.

    ``restrict_to_events``: a run that somebody starts is for the last event before it, not for its own moment.
    ``description`` is for people.
    """

    _record: ClassVar[tuple[str, ...]] = ("event_dates", "restrict_to_events", "description")

    def __init__(
        self,
        event_dates: Iterable[dt.datetime],
        *,
        restrict_to_events: bool = False,
        presorted: bool = False,
        description: str | None = None,
    ) -> None:
        """``presorted``: the moments are in order already, and none is there twice."""
        self.event_dates = list(event_dates) if presorted else sorted(set(event_dates))
        self.restrict_to_events = restrict_to_events
        self.description = description  # type: ignore[assignment]  # None: the count says it

    @property
    def summary(self) -> str:
        """The description, or how many events there are."""
        return self.description or f"{len(self.event_dates)} events"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run of the next event, None after the last one."""
        earliest, last = restriction.earliest, last_automated_data_interval
        if not restriction.catchup:
            earliest = now() if earliest is None else max(now(), earliest)
        for event in self.event_dates:
            if (earliest is None or event >= earliest) and (last is None or event > last.end):
                return (
                    None if restriction.latest is not None and event > restriction.latest else DagRunInfo.exact(event)
                )
        return None

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the moment; with ``restrict_to_events`` the last event before it, or the first of all."""
        if not self.restrict_to_events or not self.event_dates:
            return DataInterval.exact(run_after)
        past = [event for event in self.event_dates if event <= run_after]
        return DataInterval.exact(past[-1] if past else self.event_dates[0])
