"""Durations as Kubernetes users write them: ``90s``, ``10m``, ``1h30m``."""

import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def seconds(text: str) -> float:
    """Returns the seconds of a Go duration; raises ValueError for other texts, which the CRD's schema refuses too."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write for example 90s, 10m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def shown(value: float) -> str:
    """Formats a duration for people: ``0.42s``, ``12s``, ``3m5s``, ``2h10m``."""
    if value < 10:
        return f"{value:.2f}s"
    whole = int(value)
    if whole < 120:
        return f"{whole}s"
    if whole < 7200:
        return f"{whole // 60}m{whole % 60}s"
    return f"{whole // 3600}h{whole % 3600 // 60}m"


def parse_time(text: str) -> datetime:
    """Parses a Kubernetes timestamp, with or without a fraction of a second."""
    return datetime.fromisoformat(text).astimezone(UTC)


def time_text(moment: datetime) -> str:
    """Formats a timestamp as Kubernetes does, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_text(moment: datetime) -> str:
    """Formats a timestamp to the microsecond, Kubernetes' MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
