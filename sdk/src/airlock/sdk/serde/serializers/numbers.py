"""Decimals as numbers, as Airflow writes them, and UUIDs as text."""

from typing import Any, Final

VERSION: Final = 1


def write(value: Any) -> int | float | str:
    """
    Returns a decimal as an int or a float, or the text of a UUID.

    A decimal with digits after the point loses those that a float has no room for: that is Airflow's form.
    """
    if not hasattr(value, "as_tuple"):
        return str(value)
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)


def read(classname: str, version: int, data: Any) -> Any:
    """Returns the decimal of a number, or the UUID of a text."""
    if version > VERSION:
        raise TypeError(f"{classname} of version {version} is newer than version {VERSION}, which is known here")
    if classname == "decimal.Decimal":
        from decimal import Decimal  # deferred: few values need it

        return Decimal(str(data))
    from uuid import UUID  # deferred: as above

    if not isinstance(data, str):
        raise TypeError(f"{data!r:.100} is not the text of a UUID")
    return UUID(data)
