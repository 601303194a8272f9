"""Time zones: a name, or seconds east of UTC. Pendulum's are read as pendulum's where it is installed."""

import datetime as dt
from typing import Any, Final

VERSION: Final = 1

FIXED: Final = "pendulum.tz.timezone.FixedTimezone"


def name_and_class(zone: dt.tzinfo) -> tuple[str | int, str]:
    """Returns a zone's name, or its seconds east of UTC, and the class by which Airflow reads it."""
    kind = f"{type(zone).__module__}.{type(zone).__qualname__}"
    offset = zone.utcoffset(None) if kind in (FIXED, "datetime.timezone") else None
    if offset is not None:
        seconds = int(offset.total_seconds())
        return (seconds or "UTC"), FIXED
    for attribute in ("key", "name", "zone"):
        if isinstance(name := getattr(zone, attribute, None), str):
            return name, kind
    if zone.utcoffset(None) == dt.timedelta(0):
        return "UTC", FIXED
    raise TypeError(f"the time zone {zone!r} has no name; use zoneinfo.ZoneInfo(...) or datetime.timezone(...)")


def write(value: dt.tzinfo) -> str | int:
    """Returns a zone's name, or its seconds east of UTC."""
    return name_and_class(value)[0]


def read(classname: str, version: int, data: Any) -> Any:
    """Returns the zone of a name or of seconds."""
    if not isinstance(data, str | int):
        raise TypeError(f"a time zone is a name or seconds, not {data!r:.100}")
    if version > VERSION:
        raise TypeError(f"{classname} of version {version} is newer than version {VERSION}, which is known here")
    from zoneinfo import ZoneInfo  # deferred: costs milliseconds

    if classname == "zoneinfo.ZoneInfo" and isinstance(data, str):
        return ZoneInfo(data)
    try:
        import pendulum
    except ImportError:
        return ZoneInfo(data) if isinstance(data, str) else dt.timezone(dt.timedelta(seconds=data))
    return pendulum.timezone(data)
