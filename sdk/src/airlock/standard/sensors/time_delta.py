"""Sensors that wait for a span of time."""

import time
import warnings
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from airlock.sdk.bases.sensor import BaseSensorOperator
from airlock.sdk.exceptions import AirlockSkipException
from airlock.standard.deferral import deferrable_or_default
from airlock.standard.triggers.temporal import DateTimeTrigger, TimeDeltaTrigger


class TimeDeltaSensor(BaseSensorOperator):
    """
    Waits for ``delta`` after the end of the run's data interval, or after when it was to run. A number is minutes.
    ``deferrable`` waits in a trigger.
    """

    template_fields: Collection[str] = ("delta",)

    def __init__(
        self,
        *,
        delta: timedelta | int,
        deferrable: bool | None = None,
        end_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        self.delta = delta
        self.deferrable = deferrable_or_default(deferrable)
        self.end_from_trigger = end_from_trigger

    def _target(self, context: Any) -> datetime:
        end = context.get("data_interval_end")
        if end and not isinstance(end, datetime):
            raise ValueError("`data_interval_end` returned non-datetime object")
        base: datetime = end or context["dag_run"].run_after
        return base + _span(self.delta)

    def poke(self, context: Any) -> bool:
        """Tells whether the span is over."""
        target = self._target(context)
        self.log.info("Checking if the delta has elapsed: until %s", target)
        return datetime.now(UTC) > target

    def execute(self, context: Any) -> Any:
        """Waits, in a trigger where it is deferrable."""
        if not self.deferrable:
            return super().execute(context)
        target = self._target(context)
        if datetime.now(UTC) > target:
            return True
        try:
            trigger = DateTimeTrigger(moment=target, end_from_trigger=self.end_from_trigger)
        except (TypeError, ValueError) as e:
            if self.soft_fail:
                raise AirlockSkipException("Skipping due to soft_fail is set to True.") from e
            raise
        self.defer(trigger=trigger, method_name="execute_complete", timeout=self.timeout)
        return None

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Does nothing more: the time has come."""
        del context, event


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """Deprecated: use TimeDeltaSensor with ``deferrable=True``."""

    def __init__(self, *, end_from_trigger: bool = False, delta: Any, **kwargs: Any) -> None:
        """Warns."""
        warnings.warn(
            "TimeDeltaSensorAsync is deprecated; use TimeDeltaSensor with deferrable=True",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(delta=delta, deferrable=True, end_from_trigger=end_from_trigger, **kwargs)


class WaitSensor(BaseSensorOperator):
    """Waits for ``time_to_wait`` from its own start. A number is minutes. ``deferrable`` waits in a trigger."""

    template_fields: Collection[str] = ("time_to_wait",)

    def __init__(self, *, time_to_wait: timedelta | int, deferrable: bool | None = None, **kwargs: Any) -> None:
        """Takes the arguments of every sensor, too."""
        super().__init__(**kwargs)
        self.deferrable = deferrable_or_default(deferrable)
        self.time_to_wait = time_to_wait

    def execute(self, context: Any) -> None:
        """Waits."""
        del context
        span = _span(self.time_to_wait)
        if self.deferrable:
            self.defer(trigger=TimeDeltaTrigger(span, end_from_trigger=True), method_name="execute_complete")
        time.sleep(int(span.total_seconds()))


def _span(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(minutes=int(value))
