"""
Moments and spans of time, as plain data.
"""

from datetime import datetime
from typing import Annotated

import msgspec

#: A moment with its time zone. It travels in UTC, so that one moment has one text.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class CalendarStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A step in a calendar: how much each field moves, and to what it is set first. Its fields are dateutil's.

    ``weekday`` is 0 for Monday; ``weekday_position`` is which of them, as in "the second Friday".
    """

    years: int = 0
    months: int = 0
    days: int = 0
    leapdays: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    microseconds: int = 0
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    weekday_position: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    microsecond: int | None = None


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A length of time: exact seconds, or a calendar's step if ``calendar`` is there."""

    seconds: float = 0.0
    calendar: CalendarStep | None = None
