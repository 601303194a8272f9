"""
Arithmetic with spans of time: exact seconds, and steps in a calendar, which may be a month or a year long.
"""

import calendar
from datetime import datetime, timedelta

from airlock_wire.dags.moments import CalendarStep, Span

_MONTHS = 12


def plus(moment: datetime, span: Span) -> datetime:
    """Returns the moment a span later."""
    return _moved(moment, span, 1)


def minus(moment: datetime, span: Span) -> datetime:
    """Returns the moment a span earlier."""
    return _moved(moment, span, -1)


def _moved(moment: datetime, span: Span, sign: int) -> datetime:
    if span.calendar is None:
        return moment + sign * timedelta(seconds=span.seconds)
    return _stepped(moment, span.calendar, sign)


def _stepped(moment: datetime, step: CalendarStep, sign: int) -> datetime:
    """
    Returns the moment after a step. First the fields are set that the step names, then the rest is moved; a day that a
    month does not have becomes the month's last.
    """
    months = (step.year or moment.year) * _MONTHS + (step.month or moment.month) - 1
    year, month = divmod(months + sign * (step.years * _MONTHS + step.months), _MONTHS)
    day = min(calendar.monthrange(year, month + 1)[1], step.day or moment.day)
    moved = moment.replace(
        year=year,
        month=month + 1,
        day=day,
        hour=moment.hour if step.hour is None else step.hour,
        minute=moment.minute if step.minute is None else step.minute,
        second=moment.second if step.second is None else step.second,
        microsecond=moment.microsecond if step.microsecond is None else step.microsecond,
    )
    # A step over the end of February of a leap year, which only counts forward.
    leap = step.leapdays if step.leapdays and month + 1 > 2 and calendar.isleap(year) else 0
    moved += sign * timedelta(
        days=step.days + leap,
        hours=step.hours,
        minutes=step.minutes,
        seconds=step.seconds,
        microseconds=step.microseconds,
    )
    return moved if step.weekday is None else _on_weekday(moved, step.weekday, step.weekday_position or 1)


def _on_weekday(moment: datetime, weekday: int, position: int) -> datetime:
    """Returns the weekday at this position, counted from the moment on, or back from it if the position is negative."""
    weeks = timedelta(days=(abs(position) - 1) * 7)
    if position > 0:
        return moment + weeks + timedelta(days=(7 - moment.weekday() + weekday) % 7)
    return moment - weeks - timedelta(days=(moment.weekday() - weekday) % 7)
