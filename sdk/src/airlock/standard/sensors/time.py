"""A sensor that waits for a time of day."""

import datetime as dt
from typing import Any

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.standard.deferral import deferrable_or_default, start_at
from airlock.standard.triggers.temporal import DateTimeTrigger


class TimeSensor(BaseSensorOperator):
    """Waits until ``target_time`` today, in the DAG's time zone; ``deferrable`` waits in a trigger."""

    start_trigger_args = start_at(moment="", end_from_trigger=False)

    def __init__(
        self,
        *,
        target_time: dt.time,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        del trigger_kwargs
        zone = self.dag.timezone
        today = dt.datetime.now(zone)
        self.target_datetime = dt.datetime.combine(today, target_time, zone).astimezone(dt.UTC)
        self.deferrable = deferrable_or_default(deferrable)
        self.start_from_trigger = start_from_trigger
        self.end_from_trigger = end_from_trigger
        if start_from_trigger:
            self.start_trigger_args = start_at(moment=self.target_datetime, end_from_trigger=end_from_trigger)

    def execute(self, context: Any) -> Any:
        """Waits, in a trigger where it is deferrable."""
        if not self.deferrable:
            return super().execute(context)
        self.defer(
            trigger=DateTimeTrigger(moment=self.target_datetime, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
        )
        return None

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Does nothing more: the time has come."""
        del context, event

    def poke(self, context: Any) -> bool:
        """Tells whether the time is over."""
        del context
        self.log.info("Checking if the time (%s) has come", self.target_datetime)
        return dt.datetime.now(dt.UTC) > self.target_datetime


class TimeSensorAsync(TimeSensor):
    """Deprecated: use TimeSensor with ``deferrable=True``."""

    def __init__(self, **kwargs: Any) -> None:
        """Warns."""
        import warnings

        warnings.warn(
            "TimeSensorAsync is deprecated; use TimeSensor with deferrable=True", DeprecationWarning, stacklevel=2
        )
        super().__init__(deferrable=True, **kwargs)
