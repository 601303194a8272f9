"""Cron expressions: their presets, and whether an expression can be."""

import datetime as dt
from typing import Any, Final

from airlock.sdk.basis.zones import zone, zone_name
from airlock.sdk.exceptions import AirlockTimetableInvalid
from airlock.sdk.timezone import coerce_datetime
from airlock_wire.schedules import ticks

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
    """
    What timetables of a cron expression share. A preset is kept as the expression that it stands for.

    The names with an underscore are Airflow's, for timetables of an author's that extend these.
    """

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

    @property
    def summary(self) -> str:
        """The expression."""
        return self.expression

    def serialize(self) -> dict[str, Any]:
        """Returns the expression and the name of the zone."""
        return {"expression": self.expression, "timezone": zone_name(self.timezone)}

    @property
    def _expression(self) -> str:
        return self.expression

    @property
    def _timezone(self) -> dt.tzinfo:
        return zone(self.timezone)

    def _tick(self, current: dt.datetime, *, forward: bool) -> dt.datetime:
        from croniter import croniter  # deferred: costs 50 ms

        return coerce_datetime(ticks.tick(self.expression, self._timezone, current, croniter, forward=forward))

    def _get_next(self, current: dt.datetime) -> dt.datetime:
        return self._tick(current, forward=True)

    def _get_prev(self, current: dt.datetime) -> dt.datetime:
        return self._tick(current, forward=False)

    def _align_to_next(self, current: dt.datetime) -> dt.datetime:
        following = self._get_next(current)
        return current if self._get_prev(following) == current else following

    def _align_to_prev(self, current: dt.datetime) -> dt.datetime:
        past = self._get_prev(current)
        return current if self._get_next(past) == current else past
