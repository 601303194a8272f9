"""Time zones by name."""

import datetime as dt


def zone(value: str | dt.tzinfo) -> dt.tzinfo:
    """Returns a time zone; a name is looked up. Raises ValueError for a name that nobody knows."""
    if not isinstance(value, str):
        return value
    if value.upper() == "UTC":
        return dt.UTC
    from zoneinfo import ZoneInfo  # deferred: costs milliseconds, and most schedules are in UTC

    try:
        return ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"there is no time zone {value!r}; use a name like 'Europe/Berlin'") from None


def zone_name(value: str | dt.tzinfo) -> str | int:
    """Returns the name of a time zone; seconds east of UTC if it has no name."""
    if isinstance(value, str):
        return value
    for attribute in ("key", "name", "zone"):
        if isinstance(name := getattr(value, attribute, None), str):
            return name
    offset = value.utcoffset(None)
    if offset is None:
        raise ValueError(f"the time zone {value!r} has no name; use zoneinfo.ZoneInfo(...)")
    return int(offset.total_seconds()) or "UTC"
