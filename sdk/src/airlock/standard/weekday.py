"""The days of the week by name and by the number of ISO 8601: Monday is 1."""

import enum
from collections.abc import Iterable
from typing import Self


@enum.unique
class WeekDay(enum.IntEnum):
    """A day of the week."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> Self:
        """Returns the day of an English name, in letters of any case; raises AttributeError for any other text."""
        try:
            return cls[week_day_str.upper()]
        except KeyError:
            raise AttributeError(f"there is no day {week_day_str!r}; use an English name, like 'Monday'") from None

    @classmethod
    def convert(cls, day: "str | WeekDay") -> int:
        """Returns the number of a day or of its name."""
        return day if isinstance(day, WeekDay) else cls.get_weekday_number(day)

    @classmethod
    def validate_week_day(cls, week_day: "str | WeekDay | Iterable[str] | Iterable[WeekDay]") -> set[int]:
        """Returns the numbers of one day or of several; raises TypeError or AttributeError for anything else."""
        if isinstance(week_day, str | WeekDay):
            return {cls.convert(week_day)}
        if not isinstance(week_day, Iterable):
            raise TypeError(f"week_day must be a day, its name, or several of them, not {week_day!r}")
        return {cls.convert(each) for each in week_day}
