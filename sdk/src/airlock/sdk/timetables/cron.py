"""Cron expressions: their presets, and whether an expression can be."""

import datetime as dt
from typing import Final

from airlock.sdk.basis.zones import zone
from airlock.sdk.exceptions import AirlockTimetableInvalid

PRESETS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
#: The least and greatest value of each field: minute, hour, day, month, day of the week.
_BOUNDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def check(expression: str) -> None:
    """
    Raises AirlockTimetableInvalid for an expression that croniter refuses, with croniter's reason.

    An expression of five fields with numbers, ranges and steps is known to be right without croniter. Its import costs
    every start of a task 50 ms.
    """
    if is_simple(expression):
        return
    from croniter import CroniterBadCronError, CroniterBadDateError, croniter

    try:
        croniter(expression)
    except (CroniterBadCronError, CroniterBadDateError) as error:
        raise AirlockTimetableInvalid(f"the schedule {expression!r} is not a cron expression: {error}") from error


def is_simple(expression: str) -> bool:
    """Tells whether an expression is right, and made of numbers, ``*``, ranges, steps and lists. False if in doubt."""
    fields = expression.split(" ")
    return len(fields) == len(_BOUNDS) and all(
        all(_is_simple_part(part, *bounds) for part in field.split(","))
        for field, bounds in zip(fields, _BOUNDS, strict=True)
    )


def _is_simple_part(part: str, least: int, greatest: int) -> bool:
    values, has_step, step = part.partition("/")
    if has_step and not (_is_number(step) and 1 <= int(step) <= greatest):
        return False
    if values == "*":
        return True
    first, is_range, last = values.partition("-")
    if not _is_number(first) or not least <= int(first) <= greatest:
        return False
    if not is_range:
        return not has_step
    return _is_number(last) and int(first) < int(last) <= greatest


def _is_number(text: str) -> bool:
    # isdigit alone takes other scripts' digits too.
    return text.isascii() and text.isdigit() and len(text) <= 2


class CronMixin:
    """What timetables of a cron expression share. A preset is kept as the expression that it stands for."""

    expression: str
    timezone: str | dt.tzinfo

    def _take(self, expression: str, timezone: str | dt.tzinfo) -> None:
        self.expression = PRESETS.get(expression, expression)
        self.timezone = timezone

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for an expression that is not one of cron, or an unknown time zone."""
        check(self.expression)
        try:
            zone(self.timezone)
        except ValueError as error:
            raise AirlockTimetableInvalid(f"the schedule {self.expression!r}: {error}") from error


def next_tick(expression: str, timezone: str | dt.tzinfo, after: dt.datetime) -> dt.datetime:
    """Returns the first tick of an expression after a moment, in UTC."""
    from croniter import croniter

    where = zone(timezone) if isinstance(timezone, str) else timezone
    tick: dt.datetime = croniter(expression, after.astimezone(where)).get_next(dt.datetime)
    return tick.astimezone(dt.UTC)
