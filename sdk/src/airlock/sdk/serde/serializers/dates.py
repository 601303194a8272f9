"""Dates, datetimes and timedeltas, also those of pendulum: where it is not installed they are read as Python's own."""

import datetime as dt
from typing import Any, Final

from airlock.sdk.serde.serializers import timezones

VERSION: Final = 2

#: Version 1 wrote a zone's short name, and these are not names of zones.
_SHORT_NAMES: Final[dict[str, str | int]] = {
    "EDT": -4 * 3600,
    "CDT": -5 * 3600,
    "MDT": -6 * 3600,
    "PDT": -7 * 3600,
    "CEST": "CET",
}


def write(value: dt.datetime | dt.date | dt.timedelta) -> Any:
    """Returns the timestamp and zone of a datetime, the text of a date, or the seconds of a timedelta."""
    if isinstance(value, dt.datetime):
        zone = None
        if value.tzinfo:
            name, kind = timezones.name_and_class(value.tzinfo)
            zone = (name, kind, timezones.VERSION, True)
        return {"timestamp": value.timestamp(), "tz": zone}
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.total_seconds()


def read(classname: str, version: int, data: Any) -> Any:
    """Returns the date, datetime or timedelta of this data."""
    match classname.rpartition(".")[2]:
        case "datetime" | "DateTime" if isinstance(data, dict):
            zone = _zone(data.get("tz"), version)
            return _kind(classname).fromtimestamp(float(data["timestamp"]), tz=zone)
        case "datetime" if isinstance(data, int | float):
            # Airflow 2 wrote a datetime as its timestamp.
            return dt.datetime.fromtimestamp(float(data), tz=dt.UTC)
        case "date" | "Date" if isinstance(data, str):
            return _kind(classname).fromisoformat(data)
        case "timedelta" if isinstance(data, str | int | float):
            return dt.timedelta(seconds=float(data))
    raise TypeError(f"{data!r:.100} is not the data of a {classname}")


def _zone(zone: Any, version: int) -> Any:
    if not zone:
        return None
    if version == 1:
        return timezones.read(timezones.FIXED, timezones.VERSION, _SHORT_NAMES.get(zone, zone))
    name, kind, zone_version = zone[:3]
    return timezones.read(kind, zone_version, name)


def _kind(classname: str) -> Any:
    """Returns the class of a date or datetime: pendulum's, or Python's where pendulum is not installed."""
    own = dt.datetime if classname.endswith("ime") else dt.date
    if not classname.startswith("pendulum."):
        return own
    try:
        import pendulum
    except ImportError:
        return own
    return pendulum.DateTime if own is dt.datetime else pendulum.Date
