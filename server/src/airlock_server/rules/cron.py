"""The intervals of cron expressions, by Airflow's ticks. The only importer of croniter, which few commands need."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from airlock_wire.schedules import ticks


def last_interval(expression: str, zone_name: str, moment: datetime) -> tuple[datetime, datetime]:
    """
    Returns the last whole interval between two ticks up to a moment, in UTC. Raises ValueError for an expression
    without such ticks, or an unknown zone.
    """
    zone = _zone(zone_name)
    end = _tick(expression, zone, moment, forward=False)
    if _tick(expression, zone, end, forward=True) == moment:
        end = moment.astimezone(UTC)
    return _tick(expression, zone, end, forward=False), end


def _tick(expression: str, zone: tzinfo, moment: datetime, *, forward: bool) -> datetime:
    from croniter import croniter

    return ticks.tick(expression, zone, moment, croniter, forward=forward)


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
