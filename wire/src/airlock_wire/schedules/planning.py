"""
The next run of a schedule, from the steps that the schedule has. A step is a tick of cron, or a span of time.

Schedules of intervals start a run when its interval is over; triggers start it at a step.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol


class Steps(Protocol):
    """Where a schedule's steps are. Aligning leaves a moment that is a step as it is."""

    def after(self, moment: datetime) -> datetime:
        """Returns the step after a moment."""

    def before(self, moment: datetime) -> datetime:
        """Returns the step before a moment."""

    def align_up(self, moment: datetime) -> datetime:
        """Returns the step at a moment, or the next one."""

    def align_down(self, moment: datetime) -> datetime:
        """Returns the step at a moment, or the one before."""


class Bounds(NamedTuple):
    """Between which moments runs may be, both included. ``catchup``: also runs that were missed."""

    earliest: datetime | None
    latest: datetime | None
    catchup: bool


def next_interval(
    steps: Steps,
    last: tuple[datetime, datetime] | None,
    bounds: Bounds,
    newest: Callable[[datetime | None], datetime],
) -> tuple[datetime, datetime] | None:
    """
    Returns the interval of the run after the one of ``last``; None for no further run. ``newest`` says where runs start
    that catch nothing up.

    A schedule that was changed can lead back to where the last run started. One step leads beyond it. Raises ValueError
    where it does not.
    """
    start = bounds.earliest
    if not bounds.catchup:
        start = newest(start)
    elif start is not None:
        start = steps.align_up(start)
    if last is not None:
        following = steps.align_down(last[1])
        start = following if start is None else max(following, start)
        if start <= last[0]:
            start = steps.after(start)
        if start <= last[0]:
            raise ValueError(f"the schedule does not lead beyond {last[0]}")
    if start is None or (bounds.latest is not None and start > bounds.latest):
        return None
    return start, steps.after(start)


def newest_interval(steps: Steps, now: datetime, earliest: datetime | None) -> datetime:
    """Returns where the interval starts that ended last; at a tick of cron it is the one that ends now."""
    start = steps.before(now)
    if steps.after(start) != now:
        start = steps.before(start)
    return start if earliest is None else max(start, steps.align_up(earliest))


def newest_span(steps: Steps, now: datetime, earliest: datetime | None, delta: Any) -> datetime:
    """Returns the same for a span, whose intervals have no place of their own: they are counted from 1970."""
    start = steps.before(_floor(steps, now, earliest or now, delta))
    return start if earliest is None else max(start, earliest)


def next_trigger(
    steps: Steps, last: datetime | None, bounds: Bounds, now: datetime, first: Callable[[], datetime]
) -> datetime | None:
    """
    Returns the step at which the run after the one of ``last`` starts; None for no further run. ``first`` says when the
    first run of a DAG without a start date is.
    """
    if last is not None:
        candidates = [steps.after(last)]
    elif bounds.earliest is None:
        candidates = [first()]
    else:
        candidates = []
    if bounds.earliest is not None and not (bounds.catchup and candidates):
        candidates.append(steps.align_up(bounds.earliest))
    if not bounds.catchup:
        candidates.append(steps.align_down(now))
    start = max(candidates)
    return None if bounds.latest is not None and bounds.latest < start else start


def first_trigger(steps: Steps, now: datetime, run_immediately: Any) -> datetime:
    """
    Returns the first step of a DAG without a start date: the last one or the next one. It is the last one where
    ``run_immediately`` is True, or a time within which it lies. Else a tenth of a step decides, five minutes at least.
    """
    past, following = steps.align_down(now), steps.align_up(now)
    if run_immediately is True:
        return past
    tenth = max((following - past) / 10, timedelta(minutes=5))
    grace = run_immediately if isinstance(run_immediately, timedelta) else tenth
    return past if now - past <= grace else following


def _floor(steps: Steps, moment: datetime, anchor: datetime, delta: Any) -> datetime:
    """Returns the last step up to a moment. Months and years have no fixed length: they are counted from ``anchor``."""
    if not isinstance(delta, timedelta) and (delta.months or delta.years):
        step = anchor
        while (following := steps.after(step)) <= moment:
            step = following
        return step
    seconds = delta.total_seconds() if isinstance(delta, timedelta) else _seconds(delta)
    stamp = moment.timestamp()
    return type(moment).fromtimestamp(stamp - stamp % seconds, tz=moment.tzinfo)


def _seconds(delta: Any) -> float:
    """Returns the length of a relativedelta without months and years, in whole seconds."""
    whole = timedelta(days=delta.days, hours=delta.hours, minutes=delta.minutes, seconds=delta.seconds)
    return whole.total_seconds()
