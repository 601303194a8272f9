"""Names of time zones."""

from datetime import datetime, tzinfo


def zone_name(zone: tzinfo | str) -> str:
    """Returns a time zone's name: of the IANA database, or an offset as ``+01:00``."""
    if isinstance(zone, str):
        return zone
    for attribute in ("key", "name", "zone"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str) and name:
            return name
    offset = zone.utcoffset(datetime(2000, 1, 1))  # noqa: DTZ001 - only the offset is asked for
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    if not minutes:
        return "UTC"
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
