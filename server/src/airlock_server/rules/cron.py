"""
Ticks of cron expressions, as Airflow counts them: on the wall clock of the schedule's zone.

Where the clock is set forward, a tick that does not exist comes an hour later. Where it is set back, the later of two
equal wall times is the tick; an expression that ticks in every hour ticks in both. The only importer of croniter, at
first use: few commands need it.
"""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo


def last_interval(expression: str, zone_name: str, moment: datetime) -> tuple[datetime, datetime]:
    """
    Returns the last whole interval between two ticks up to a moment, in UTC. Raises ValueError for an expression
    without such ticks, or an unknown zone.
    """
    zone = _zone(zone_name)
    end = _previous(expression, zone, moment)
    if _next(expression, zone, end) == moment:
        end = moment.astimezone(UTC)
    return _previous(expression, zone, end), end


def _previous(expression: str, zone: tzinfo, moment: datetime) -> datetime:
    return _tick(expression, zone, moment, forward=False)


def _next(expression: str, zone: tzinfo, moment: datetime) -> datetime:
    return _tick(expression, zone, moment, forward=True)


def _tick(expression: str, zone: tzinfo, moment: datetime, *, forward: bool) -> datetime:
    from croniter import croniter

    wall = moment.astimezone(zone).replace(tzinfo=None)
    ticks = croniter(expression, wall)
    tick: datetime = ticks.get_next(datetime) if forward else ticks.get_prev(datetime)
    if ticks.expanded[1] == ["*"]:
        return moment.astimezone(UTC) + (tick - wall)
    return _at(tick, zone)


def _at(wall: datetime, zone: tzinfo) -> datetime:
    """Returns the moment of a wall time in UTC: the later one of two, and after a gap one that is as much later."""
    later = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    if name[:1] in "+-":
        hours, minutes = int(name[1:3]), int(name[4:6])
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if name[0] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (LookupError, OSError) as e:
        raise ValueError(f"there is no time zone {name!r}") from e
