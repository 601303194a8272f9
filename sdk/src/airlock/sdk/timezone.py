"""Datetimes with a time zone, by Airflow's helpers. They are pendulum's where it is installed, else Python's."""

import datetime as dt
from typing import Any, Final, overload

from airlock.sdk.basis.settings import default_zone
from airlock.sdk.basis.zones import zone

utc: Final = dt.UTC


def _pendulum() -> Any:
    """Returns the module, or None where it is not installed."""
    try:
        import pendulum  # deferred: costs a tenth of a second
    except ImportError:
        return None
    return pendulum


def utcnow() -> dt.datetime:
    """Returns the present moment in UTC."""
    return dt.datetime.now(tz=utc)


def is_localized(value: dt.datetime) -> bool:
    """Tells whether a datetime has a time zone."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    """Tells whether a datetime has no time zone."""
    return value.utcoffset() is None


def make_aware(value: dt.datetime | None, timezone: dt.tzinfo | None = None) -> dt.datetime | None:
    """
    Returns a datetime with a time zone: the default one unless given. Raises ValueError if it has one already.

    Of two moments with the same time on the wall, it is the later one.
    """
    if not value:
        return None
    if is_localized(value):
        raise ValueError(f"make_aware takes a datetime without a time zone, and {value} has one")
    return value.replace(fold=1, tzinfo=timezone or default_zone())


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """Returns the time on the wall in a zone: the default one unless given. Raises ValueError without a time zone."""
    if is_naive(value):
        raise ValueError(f"make_naive takes a datetime with a time zone, and {value} has none")
    local = value.astimezone(timezone or default_zone())
    return dt.datetime(*local.timetuple()[:6], local.microsecond)  # noqa: DTZ001 - what it is for


@overload
def coerce_datetime(v: None, tz: dt.tzinfo | None = None) -> None: ...
@overload
def coerce_datetime(v: dt.datetime, tz: dt.tzinfo | None = None) -> dt.datetime: ...
def coerce_datetime(v: dt.datetime | None, tz: dt.tzinfo | None = None) -> dt.datetime | None:
    """Returns a datetime with a time zone, pendulum's where it is installed. A zone that it has stays."""
    if v is None:
        return None
    aware = v if v.tzinfo else make_aware(v, tz)
    pendulum = _pendulum()
    return pendulum.instance(aware) if pendulum else aware


@overload
def convert_to_utc(value: None) -> None: ...
@overload
def convert_to_utc(value: dt.datetime) -> dt.datetime: ...
def convert_to_utc(value: dt.datetime | None) -> dt.datetime | None:
    """Returns a datetime in UTC. One without a time zone is in the default one."""
    if value is None:
        return None
    return coerce_datetime((value if is_localized(value) else value.replace(tzinfo=default_zone())).astimezone(utc))


def datetime(*args: Any, **kwargs: Any) -> dt.datetime:
    """Returns a datetime of these parts, in the default time zone unless ``tzinfo`` is given."""
    return dt.datetime(*args, **{"tzinfo": default_zone(), **kwargs})  # noqa: DTZ001 - it is given


def parse(string: str, timezone: Any = None, *, strict: bool = False) -> dt.datetime:
    """
    Returns the datetime that a text names, in the default time zone unless the text or ``timezone`` says which.

    Without pendulum the text must be as ISO 8601 has it. ``strict`` allows no other form with pendulum either.
    """
    if pendulum := _pendulum():
        parsed: dt.datetime = pendulum.parse(string, tz=timezone or default_zone(), strict=strict)
        return parsed
    value = dt.datetime.fromisoformat(string)
    return value if value.tzinfo else value.replace(tzinfo=zone(timezone) if timezone else default_zone())


def from_timestamp(timestamp: float, tz: str | dt.tzinfo = utc) -> dt.datetime:
    """Returns the moment that is so many seconds after 1970, in a time zone; ``local`` is the machine's."""
    if tz == "local":
        return coerce_datetime(dt.datetime.fromtimestamp(timestamp).astimezone())
    return coerce_datetime(dt.datetime.fromtimestamp(timestamp, zone(tz)))
