"""Steps of time: timedeltas, and dateutil's relativedeltas."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from airlock.sdk.exceptions import AirlockTimetableInvalid

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
    """What timetables of a step of time share."""

    delta: "Delta"

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for a step that does not lead into the future."""
        check(self.delta)
