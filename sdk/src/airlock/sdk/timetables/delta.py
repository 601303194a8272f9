"""Steps of time: timedeltas, and dateutil's relativedeltas."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from airlock.sdk.exceptions import AirlockTimetableInvalid
from airlock.sdk.timezone import convert_to_utc

if TYPE_CHECKING:
    from typing import TypeAlias

    from dateutil.relativedelta import relativedelta

    Delta: TypeAlias = dt.timedelta | relativedelta


def is_delta(value: Any) -> bool:
    """Tells whether a value is a timedelta or a relativedelta, without an import of dateutil."""
    return isinstance(value, dt.timedelta) or any(each.__name__ == "relativedelta" for each in type(value).__mro__)


def check(delta: Any) -> None:
    """Raises AirlockTimetableInvalid for a step that does not lead into the future."""
    now = dt.datetime.now(dt.UTC)
    if now + delta <= now:
        raise AirlockTimetableInvalid(f"the schedule {delta!r} is not a positive step of time")


class DeltaMixin:
    """
    What timetables of a step of time share. The names with an underscore are Airflow's, for timetables of an author's
    that extend these.
    """

    delta: "Delta"

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for a step that does not lead into the future."""
        check(self.delta)

    @property
    def summary(self) -> str:
        """The step."""
        return str(self.delta)

    @property
    def _delta(self) -> "Delta":
        return self.delta

    def _get_next(self, current: dt.datetime) -> dt.datetime:
        return convert_to_utc(current + self.delta)

    def _get_prev(self, current: dt.datetime) -> dt.datetime:
        return convert_to_utc(current - self.delta)

    def _align_to_next(self, current: dt.datetime) -> dt.datetime:
        return current

    def _align_to_prev(self, current: dt.datetime) -> dt.datetime:
        return current
