"""A branch by the day of the week."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from airlock.sdk.bases.branch import BaseBranchOperator
from airlock.standard.operators.datetime import run_date
from airlock.standard.weekday import WeekDay


class BranchDayOfWeekOperator(BaseBranchOperator):
    """
    Follows ``follow_task_ids_if_true`` on the days of ``week_day`` (a name, a WeekDay or several), else
    ``follow_task_ids_if_false``. With ``use_task_logical_date`` the date of the run counts, and not the clock.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        week_day: Any,
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        """Raises for what is not a day."""
        super().__init__(**kwargs)
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Returns the ids for today."""
        now = run_date(context) if self.use_task_logical_date else dt.datetime.now(self.dag.timezone)
        today = now.isoweekday() in self._week_day_num
        return self.follow_task_ids_if_true if today else self.follow_task_ids_if_false
