"""A branch by the time of day or date."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from airlock.sdk.bases.branch import BaseBranchOperator
from airlock.sdk.exceptions import AirlockException


class BranchDateTimeOperator(BaseBranchOperator):
    """
    Follows ``follow_task_ids_if_true`` between ``target_lower`` and ``target_upper`` (times of day or dates), else
    ``follow_task_ids_if_false``. With ``use_task_logical_date`` the date of the run counts, and not the clock.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        target_lower: dt.datetime | dt.time | None,
        target_upper: dt.datetime | dt.time | None,
        use_task_logical_date: bool = False,
        **kwargs: Any,
    ) -> None:
        """Raises AirlockException without any bound."""
        super().__init__(**kwargs)
        if target_lower is None and target_upper is None:
            raise AirlockException(
                "Both target_upper and target_lower are None. At least one must be defined to be compared to the "
                "current datetime"
            )
        self.target_lower = target_lower
        self.target_upper = target_upper
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.use_task_logical_date = use_task_logical_date

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Returns the ids for now."""
        now = run_date(context) if self.use_task_logical_date else dt.datetime.now(dt.UTC)
        zone = self.dag.timezone
        lower, upper = (
            each if each is None or each.tzinfo is not None else each.replace(tzinfo=zone)
            for each in target_times_as_dates(now, self.target_lower, self.target_upper)
        )
        inside = (upper is None or now <= upper) and (lower is None or lower <= now)
        return self.follow_task_ids_if_true if inside else self.follow_task_ids_if_false


def run_date(context: Any) -> dt.datetime:
    """Returns the logical date of the DAG run; without one, when it was to run."""
    date: dt.datetime = context.get("logical_date") or context["dag_run"].run_after
    return date


def target_times_as_dates(
    base_date: dt.datetime,
    lower: dt.datetime | dt.time | None,
    upper: dt.datetime | dt.time | None,
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Returns both bounds as dates; times of day are of ``base_date``. An upper one before the lower is a day on."""
    if isinstance(lower, dt.datetime) and isinstance(upper, dt.datetime):
        return lower, upper
    first = dt.datetime.combine(base_date, lower) if isinstance(lower, dt.time) else lower
    last = dt.datetime.combine(base_date, upper) if isinstance(upper, dt.time) else upper
    if first is not None and last is not None and last < first:
        last += dt.timedelta(days=1)
    return first, last
