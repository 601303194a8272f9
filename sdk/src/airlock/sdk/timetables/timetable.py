"""The base of an author's own timetable, and what a timetable is asked and answers."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

from airlock.sdk.timetables.definition import BaseTimetable

__all__ = ["BaseTimetable", "DagRunInfo", "DataInterval", "TimeRestriction", "Timetable"]


class DataInterval(NamedTuple):
    """The time whose data a run works on. Both ends have a time zone."""

    start: dt.datetime
    end: dt.datetime

    @classmethod
    def exact(cls, at: dt.datetime) -> Self:
        """Returns the interval of one moment."""
        return cls(at, at)


class TimeRestriction(NamedTuple):
    """Between which moments a DAG may have runs, both included. ``catchup``: also runs that were missed."""

    earliest: dt.datetime | None
    latest: dt.datetime | None
    catchup: bool


class DagRunInfo(NamedTuple):
    """A run to be: after which moment, and for which interval and partition."""

    run_after: dt.datetime
    data_interval: DataInterval | None
    partition_date: dt.datetime | None = None
    partition_key: str | None = None

    @classmethod
    def exact(cls, at: dt.datetime) -> Self:
        """Returns a run at a moment, for the interval of that moment."""
        return cls(at, DataInterval.exact(at))

    @classmethod
    def interval(cls, start: dt.datetime, end: dt.datetime) -> Self:
        """Returns a run for an interval, after its end."""
        return cls(end, DataInterval(start, end))

    @property
    def logical_date(self) -> dt.datetime | None:
        """The start of the interval; None without one."""
        return self.data_interval.start if self.data_interval else None


class Timetable(BaseTimetable):
    """
    The base of an author's own timetable, which computes its runs. Its methods run in a runner, never in the scheduler.

    ``description`` is for people. ``periodic``: runs come again and again. ``run_ordering`` are the fields of a run by
    which runs are shown in order. ``partitioned``: runs are for partitions.
    """

    description: str = ""
    periodic: bool = True
    run_ordering: Sequence[str] = ("data_interval_end", "logical_date")
    partitioned: bool = False

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the run after the one of this interval, None for no further run. Each timetable must implement it."""
        raise NotImplementedError(f"{type(self).__name__} must implement next_dagrun_info")

    def next_dagrun_info_v2(self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction) -> Any:
        """Returns the run after this run, by ``next_dagrun_info`` unless a timetable needs more than the interval."""
        return self.next_dagrun_info(
            last_automated_data_interval=last_dagrun_info and last_dagrun_info.data_interval, restriction=restriction
        )

    def infer_manual_data_interval(self, *, run_after: dt.datetime) -> DataInterval:
        """Returns the interval of a run that somebody starts at this moment. Each timetable must implement it."""
        raise NotImplementedError(f"{type(self).__name__} must implement infer_manual_data_interval")

    def iter_partition_dagrun_infos(self, *, earliest: dt.datetime, latest: dt.datetime) -> Iterable[DagRunInfo]:
        """Yields the run of each partition between two moments, both included. Partitioned ones implement it."""
        kind = type(self).__name__
        why = "must implement iter_partition_dagrun_infos" if self.partitioned else "is not partitioned"
        raise NotImplementedError(f"{kind} {why}: no partitions from {earliest} to {latest}")

    def get_partition_mapper(self, *, name: str = "", uri: str = "") -> Any:
        """Returns the mapper of an asset's partitions. A partitioned timetable implements it."""
        raise NotImplementedError(f"{type(self).__name__} has no partition mapper for the asset {name or uri!r}")

    def generate_run_id(
        self, *, run_type: Any, run_after: dt.datetime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """Returns the id of a run: its type and its moment. An override may look at the interval and more."""
        del data_interval, extra
        return f"{getattr(run_type, 'value', run_type)}__{run_after.isoformat()}"

    @property
    def summary(self) -> str:
        """A few words for the list of DAGs."""
        return type(self).__name__

    @property
    def type_name(self) -> str:
        """The path of the timetable's class."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    def serialize(self) -> dict[str, Any]:
        """Returns the arguments that make an equal timetable, as plain JSON."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:  # noqa: ARG003 - for those that have arguments
        """Returns the timetable of what ``serialize`` returned."""
        return cls()
