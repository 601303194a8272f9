"""Sensors that wait for a date."""

import datetime as dt
from collections.abc import Collection
from typing import Any, NoReturn

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.standard.deferral import start_at
from airlock.standard.triggers.temporal import DateTimeTrigger


class DateTimeSensor(BaseSensorOperator):
    """Waits until ``target_time``: a date, or its ISO text."""

    template_fields: Collection[str] = ("target_time",)

    def __init__(self, *, target_time: str | dt.datetime, **kwargs: Any) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        self.target_time: Any = target_time

    def poke(self, context: Any) -> bool:
        """Tells whether the date is over."""
        del context
        self.log.info("Checking if the time (%s) has come", self.target_time)
        return dt.datetime.now(dt.UTC) > self._moment

    @property
    def _moment(self) -> dt.datetime:
        target = self.target_time
        if isinstance(target, str):
            target = dt.datetime.fromisoformat(target)
        if not isinstance(target, dt.datetime):
            raise TypeError(f"Expected str or datetime.datetime type for target_time. Got {type(target)}")
        return target if target.tzinfo is not None else target.replace(tzinfo=dt.UTC)


class DateTimeSensorAsync(DateTimeSensor):
    """Waits until ``target_time`` in a trigger. With ``end_from_trigger`` the task is over when the trigger fires."""

    start_trigger_args = start_at(moment="", end_from_trigger=False)

    def __init__(
        self,
        *,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """With ``start_from_trigger`` the task begins in the trigger, without a process."""
        super().__init__(**kwargs)
        del trigger_kwargs
        self.end_from_trigger = end_from_trigger
        self.start_from_trigger = start_from_trigger
        if start_from_trigger:
            self.start_trigger_args = start_at(target_time=self.target_time, end_from_trigger=end_from_trigger)

    def execute(self, context: Any) -> NoReturn:
        """Waits in the trigger."""
        del context
        self.defer(
            trigger=DateTimeTrigger(moment=self._moment, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
        )
        raise AssertionError("defer() raises")

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Does nothing more: the time has come."""
        del context, event
