"""Triggers of time: a moment, or a while."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any, Final

from airlock.sdk import timezone
from airlock.sdk.bases.trigger import BaseTrigger, TaskSuccessEvent, TriggerEvent

#: The longest sleeps in seconds, from far to near: the clock may be set meanwhile.
_STEPS: Final = (3600.0, 60.0, 10.0, 1.0)


class DateTimeTrigger(BaseTrigger):
    """
    An event at a moment, whose payload is the moment.

    ``moment`` has a time zone. ``target_time`` is one too, or text of one, which may be a template that is rendered
    before the trigger runs. With ``end_from_trigger`` the task succeeds at the moment, without a worker.
    """

    def __init__(
        self,
        moment: dt.datetime | None = None,
        *,
        target_time: dt.datetime | str | None = None,
        end_from_trigger: bool = False,
    ) -> None:
        """Raises TypeError for both or neither, or for a moment of a wrong type; ValueError without a time zone."""
        super().__init__()
        if (moment is None) == (target_time is None):
            raise TypeError("DateTimeTrigger takes a moment or a target_time, and one of them alone")
        if moment is not None and not isinstance(moment, dt.datetime):
            raise TypeError(f"DateTimeTrigger: moment must be a datetime, not {type(moment).__name__}: {moment!r}")
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"DateTimeTrigger: the moment {moment} needs a time zone")
        self.target_time = target_time
        self.end_from_trigger = end_from_trigger
        self._moment = timezone.convert_to_utc(moment) if moment is not None else None

    @property
    def moment(self) -> dt.datetime:
        """The moment in UTC. Text is read here, after its template was rendered."""
        if self._moment is None:
            target = self.target_time
            if isinstance(target, str) and target:
                target = timezone.parse(target)
            if not isinstance(target, dt.datetime):
                raise TypeError(f"DateTimeTrigger: target_time must be a datetime or text of one, not {target!r}")
            self._moment = timezone.convert_to_utc(target)
        return self._moment

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns Airflow's path of the class, which its triggerer knows too, and the arguments."""
        when = {"target_time": self.target_time} if self._moment is None else {"moment": self._moment}
        return (
            "airflow.providers.standard.triggers.temporal.DateTimeTrigger",
            {**when, "end_from_trigger": self.end_from_trigger},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields one event at the moment."""
        import asyncio  # deferred: a task that defers has no use for it

        while (left := (self.moment - timezone.utcnow()).total_seconds()) > 0:  # noqa: ASYNC110 - a clock tells nobody
            await asyncio.sleep(next((step for step in _STEPS if left > 2 * step), min(left, _STEPS[-1])))
        yield TaskSuccessEvent() if self.end_from_trigger else TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """An event after a while. It travels as a trigger of the moment."""

    def __init__(self, delta: dt.timedelta, *, end_from_trigger: bool = False) -> None:
        """``delta`` is counted from now."""
        super().__init__(timezone.utcnow() + delta, end_from_trigger=end_from_trigger)
