"""
New DAG runs: what they are called, and which data interval a run gets that somebody makes by hand.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from airlock_server.rules import cron
from airlock_server.rules.spans import minus
from airlock_wire.dags import schedule as kinds
from airlock_wire.dags.schedule import Schedule

#: Types of runs whose ids end in characters that nobody can guess, because several may begin at one moment.
_SCATTERED: Final = frozenset({"asset_triggered"})
RUN_TYPES: Final = (
    "scheduled",
    "manual",
    "operator_triggered",
    "asset_triggered",
    "asset_materialization",
    "backfill",
)


class Interval(NamedTuple):
    """The part of the data that a run is about."""

    start: datetime
    end: datetime


class NoInterval(Exception):
    """The interval follows from the author's code, or cannot be computed. The text says why."""


def run_id(run_type: str, run_after: datetime, *, partition_key: str | None = None, scatter: str = "") -> str:
    """
    Returns the id of a new run. ``scatter`` are random characters, which some types of runs and partitioned runs need.
    """
    moment = run_after.astimezone(UTC).isoformat()
    if partition_key is not None:
        return f"{run_type}__{moment}__{partition_key}__{scatter}"
    return f"{run_type}__{moment}" + (f"_{scatter}" if run_type in _SCATTERED else "")


def run_id_problem(run_id: str, run_type: str) -> str:
    """
    Returns what is wrong with an id that somebody chose for a run, to follow ``run_id``; empty if nothing is wrong.

    Its form is checked elsewhere (``airlock_wire.ids``).
    """
    other = next((each for each in RUN_TYPES if each != run_type and run_id.startswith(f"{each}__")), None)
    return f"begins as the ids of {other} runs do; give it another name" if other is not None else ""


def manual_interval(schedule: Schedule, moment: datetime) -> Interval:
    """
    Returns the data interval of a run that somebody makes for a moment.

    Raises NoInterval for a timetable of the author's, and for a cron expression without ticks.
    """
    match schedule:
        case kinds.CronTrigger(interval=span) | kinds.MultipleCron(interval=span) | kinds.DeltaTrigger(interval=span):
            return Interval(minus(moment, span), moment)
        case kinds.DeltaDataInterval(delta=span):
            return Interval(minus(moment, span), moment)
        case kinds.Events(dates=dates, restrict_to_events=True) if any(date <= moment for date in dates):
            event = max(date for date in dates if date <= moment)
            return Interval(event, event)
        case kinds.AssetOrTime(timetable=timetable):
            return manual_interval(timetable, moment)
        case kinds.CronDataInterval(expression=expression, timezone=zone):
            try:
                return Interval(*cron.last_interval(expression, zone, moment))
            except ValueError as e:
                raise NoInterval(f"the schedule {expression!r}: {e}") from e
        case kinds.Custom(classpath=classpath):
            raise NoInterval(f"the timetable {classpath} is the author's code, which this process does not run")
        case _:
            return Interval(moment, moment)


def whole_seconds(moment: datetime) -> datetime:
    """Returns a logical date that a request gave, without its microseconds."""
    return moment - timedelta(microseconds=moment.microsecond)
