"""A sensor that waits for a day of the week."""

from datetime import UTC, datetime
from typing import Any

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.standard.operators.datetime import run_date
from airlock.standard.weekday import WeekDay


class DayOfWeekSensor(BaseSensorOperator):
    """
    Waits until it is one of the days of ``week_day`` (a name, a WeekDay or several). With ``use_task_logical_date`` the
    date of the run counts, and not the clock.
    """

    def __init__(self, *, week_day: Any, use_task_logical_date: bool = False, **kwargs: Any) -> None:
        """Raises for what is not a day."""
        super().__init__(**kwargs)
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def poke(self, context: Any) -> bool:
        """Tells whether it is one of the days."""
        now = datetime.now(UTC)
        self.log.info("Poking until weekday is in %s, Today is %s", self.week_day, WeekDay(now.isoweekday()).name)
        date = run_date(context) if self.use_task_logical_date else now
        return date.isoweekday() in self._week_day_num
