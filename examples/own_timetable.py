"""A timetable of one's own: which runs come when, which interval of data each has, and what a run is called."""

from datetime import UTC, datetime, timedelta

from airlock.sdk import DAG, task
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, Timetable


class Shifts(Timetable):
    """A run at the end of each shift. Its methods run in a process of their own, and may ask for nothing."""

    def __init__(self, hours):
        self.hours = hours

    def serialize(self):
        """What makes an equal timetable again: it travels as JSON."""
        return {"hours": self.hours}

    @classmethod
    def deserialize(cls, data):
        return cls(**data)

    def _start(self, moment):
        """The shift that a moment is in began at a whole number of shifts since midnight."""
        return moment.replace(hour=moment.hour // self.hours * self.hours, minute=0, second=0, microsecond=0)

    def infer_manual_data_interval(self, *, run_after):
        """A run by hand is about the last shift that is over."""
        end = self._start(run_after)
        return DataInterval(end - timedelta(hours=self.hours), end)

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        if last_automated_data_interval is not None:
            start = last_automated_data_interval.end
        elif restriction.earliest is not None:
            start = self._start(restriction.earliest)
        else:
            return None
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.interval(start, start + timedelta(hours=self.hours))

    def generate_run_id(self, *, run_type, run_after, data_interval, **extra):  # noqa: ARG002 - not every one is needed
        return f"{run_type}__shift-{data_interval.start:%Y%m%d-%H}"


with DAG("own_timetable", schedule=Shifts(8), start_date=datetime(2026, 1, 1, tzinfo=UTC), tags=["example"]):

    @task
    def count(data_interval_start=None, data_interval_end=None, run_id=None):
        return f"{data_interval_start:%d %H:%M} to {data_interval_end:%d %H:%M} in {run_id}"

    count()
