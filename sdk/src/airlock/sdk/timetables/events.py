"""A timetable of a list of moments."""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

from airlock.sdk.timetables.definition import BaseTimetable


class EventsTimetable(BaseTimetable):
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
        self.description = description
