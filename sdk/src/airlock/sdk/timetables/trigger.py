"""Timetables whose runs are at moments: by cron expressions or by a step of time."""

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Final

from airlock.sdk.timetables.cron import CronMixin
from airlock.sdk.timetables.definition import BaseTimetable
from airlock.sdk.timetables.delta import DeltaMixin

if TYPE_CHECKING:
    from airlock.sdk.timetables.delta import Delta

_NOTHING: Final = dt.timedelta()


class DeltaTriggerTimetable(DeltaMixin, BaseTimetable):
    """A run each ``delta``, for the ``interval`` before it; by default for the moment itself."""

    _record: ClassVar[tuple[str, ...]] = ("delta", "interval")

    def __init__(self, delta: "Delta", *, interval: "Delta" = _NOTHING) -> None:
        """``validate`` refuses a step that does not lead into the future."""
        self.delta = delta
        self.interval = interval


class CronTriggerTimetable(CronMixin, BaseTimetable):
    """
    A run at each tick of a cron expression, for the ``interval`` before it; by default for the moment itself.

    ``run_immediately`` is for a DAG without a start date and without runs. True: the last tick before now has a run.
    A timedelta: only if that tick is not older. False: the first run is at the next tick, or at a tick just past.
    """

    _record: ClassVar[tuple[str, ...]] = ("expression", "timezone", "interval", "run_immediately")

    def __init__(
        self,
        expression: str,
        timezone: str | dt.tzinfo,
        *,
        interval: "Delta" = _NOTHING,
        run_immediately: bool | dt.timedelta = False,
    ) -> None:
        """``validate`` refuses an expression that is not one of cron."""
        self._take(expression, timezone)
        self.interval = interval
        self.run_immediately = run_immediately


class MultipleCronTriggerTimetable(BaseTimetable):
    """A run at each tick of several cron expressions; one run where two of them meet."""

    _record: ClassVar[tuple[str, ...]] = ("timetables",)

    def __init__(
        self,
        *crons: str,
        timezone: str | dt.tzinfo,
        interval: "Delta" = _NOTHING,
        run_immediately: bool | dt.timedelta = False,
    ) -> None:
        """Raises ValueError without any expression. The other arguments are those of CronTriggerTimetable."""
        if not crons:
            raise ValueError("MultipleCronTriggerTimetable needs a cron expression at least")
        self.timetables = [
            CronTriggerTimetable(cron, timezone, interval=interval, run_immediately=run_immediately) for cron in crons
        ]

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for an expression that is not one of cron."""
        for timetable in self.timetables:
            timetable.validate()


class CronPartitionTimetable(CronTriggerTimetable):
    """
    A run at each tick of a cron expression, for the partition of a tick near it.

    ``run_offset`` is how many ticks later than the run the partition's date is; a negative one is earlier.
    ``key_format`` writes that date as the partition's key, as ``strftime`` does.
    """

    _record: ClassVar[tuple[str, ...]] = (
        "expression",
        "timezone",
        "interval",
        "run_immediately",
        "run_offset",
        "key_format",
    )

    def __init__(
        self,
        cron: str,
        *,
        timezone: str | dt.tzinfo,
        run_offset: int | None = None,
        run_immediately: bool | dt.timedelta = False,
        key_format: str = r"%Y-%m-%dT%H:%M:%S",
    ) -> None:
        """Raises ValueError for an offset that is not a whole number of ticks."""
        if run_offset is not None and not isinstance(run_offset, int):
            raise ValueError(f"CronPartitionTimetable: run_offset must be a whole number of ticks, not {run_offset!r}")
        super().__init__(cron, timezone, run_immediately=run_immediately)
        self.run_offset = run_offset
        self.key_format = key_format
