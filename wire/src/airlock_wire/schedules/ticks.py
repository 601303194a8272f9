"""
Ticks of cron expressions, as Airflow counts them: on the wall clock of the schedule's zone.

Where the clock is set forward, a tick that does not exist comes an hour later. Where it is set back, the later of two
equal wall times is the tick; an expression that ticks in every hour ticks in both.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any


def tick(expression: str, zone: tzinfo, moment: datetime, croniter: Callable[..., Any], *, forward: bool) -> datetime:
    """
    Returns the first tick after a moment, or the last one before it, in UTC. ``croniter`` is the class: what needs no
    cron does not install it. Raises ValueError for an expression without such a tick.
    """
    at = moment.astimezone(UTC)
    # A plain moment: pendulum's own arithmetic is another one.
    at = datetime(*at.timetuple()[:6], at.microsecond, tzinfo=UTC)
    wall = at.astimezone(zone).replace(tzinfo=None)
    ticks = croniter(expression, wall)
    there: datetime = ticks.get_next(datetime) if forward else ticks.get_prev(datetime)
    return at + (there - wall) if ticks.expanded[1] == ["*"] else _at(there, zone)


def _at(wall: datetime, zone: tzinfo) -> datetime:
    """Returns the moment of a wall time in UTC: the later one of two, and after a gap one that is as much later."""
    later = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
