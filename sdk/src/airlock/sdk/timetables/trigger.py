"""Timetables whose runs are at moments: by cron expressions or by a step of time."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from airlock.sdk.timetables.cron import CronMixin
from airlock.sdk.timetables.delta import DeltaMixin
from airlock.sdk.timetables.runs import Steps, TriggerTimetable, now
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airlock.sdk.timezone import convert_to_utc
from airlock_wire.schedules import planning

if TYPE_CHECKING:
    from airlock.sdk.timetables.delta import Delta

_NOTHING: Final = dt.timedelta()


class DeltaTriggerTimetable(DeltaMixin, TriggerTimetable):
    """A run each ``delta``, for the ``interval`` before it; by default for the moment itself."""

    _record: ClassVar[tuple[str, ...]] = ("delta", "interval")

    def __init__(self, delta: "Delta", *, interval: "Delta" = _NOTHING) -> None:
        """``validate`` refuses a step that does not lead into the future."""
        self.delta = delta
        self.interval = interval


class CronTriggerTimetable(CronMixin, TriggerTimetable):
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

    @property
    def _interval(self) -> "Delta":
        return self.interval

    def _calc_first_run(self) -> dt.datetime:
        return planning.first_trigger(Steps(self), now(), self.run_immediately)


class MultipleCronTriggerTimetable(Timetable):
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

    @property
    def summary(self) -> str:
        """The expressions."""
        return ", ".join(each.summary for each in self.timetables)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the first of the expressions' runs; without catchup the last one that is due, if one is."""
        answers = [
            each.next_dagrun_info(last_automated_data_interval=last_automated_data_interval, restriction=restriction)
            for each in self.timetables
        ]
        infos = [info for info in answers if info is not None]
        if not restriction.catchup and (due := [info for info in infos if _start(info) <= now()]):
            return max(due, key=_start)
        return min(infos, key=_start, default=None)

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the interval of the expressions that starts first."""
        intervals = (each.infer_manual_data_interval(run_after=run_after) for each in self.timetables)
        return min(intervals, key=lambda interval: interval.start)


def _start(info: DagRunInfo) -> dt.datetime:
    assert info.data_interval is not None  # noqa: S101 - the runs of triggers have one
    return info.data_interval.start


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
    partitioned = True

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

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run after this run, with its partition."""
        step = self._next_step(last_dagrun_info and last_dagrun_info.run_after, restriction)
        if step is None:
            return None
        date = self._get_partition_date(run_date=step)
        return DagRunInfo(step, None, date, self._format_key(date))

    def _get_partition_date(self, *, run_date: dt.datetime) -> dt.datetime:
        offset = self.run_offset or 0
        for _ in range(abs(offset)):
            run_date = self._get_next(run_date) if offset > 0 else self._get_prev(run_date)
        return run_date

    def _format_key(self, partition_date: dt.datetime) -> str:
        return partition_date.astimezone(self._timezone).strftime(self.key_format)

    def iter_partition_dagrun_infos(self, *, earliest: dt.datetime, latest: dt.datetime) -> Iterator[DagRunInfo]:
        """Yields the run of each partition between two times on the wall of the zone, both included."""
        first, last = (each.replace(tzinfo=self._timezone, fold=1) for each in (earliest, latest))
        date = self._align_to_next(convert_to_utc(first))
        while date <= last:
            yield DagRunInfo(date, None, date, self._format_key(date))
            date = self._get_next(date)
