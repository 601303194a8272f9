"""Settings that the runner's environment carries, by Airflow's sections and options."""

import datetime as dt
import os
from typing import Final, TypeVar

_TRUE: Final = frozenset({"t", "true", "1"})
_FALSE: Final = frozenset({"f", "false", "0"})
_PRODUCTS: Final = ("AIRLOCK", "AIRFLOW")

D = TypeVar("D")


def setting(section: str, option: str, default: D) -> str | D:
    """Returns an option's value: that of ``AIRLOCK__SECTION__OPTION``, else of ``AIRFLOW__...``, else the default."""
    name = f"__{section}__{option}".upper()
    for product in _PRODUCTS:
        value = os.environ.get(product + name)
        if value is not None:
            return value
    return default


def switch(section: str, option: str, default: D) -> bool | D:
    """Returns an option that is on or off. Raises AirlockConfigException for a value that is neither."""
    value = setting(section, option, None)
    return default if value is None else as_switch(section, option, value)


def whole(section: str, option: str, default: D) -> int | D:
    """Returns an option that is a whole number. Raises AirlockConfigException for another value."""
    value = setting(section, option, None)
    return default if value is None else as_whole(section, option, value)


def number(section: str, option: str, default: D) -> float | D:
    """Returns an option that is a number. Raises AirlockConfigException for another value."""
    value = setting(section, option, None)
    return default if value is None else as_number(section, option, value)


def default_zone() -> dt.tzinfo:
    """
    Returns the time zone of dates that are written without one: ``[core] default_timezone``, where ``system`` is the
    machine's. Raises AirlockConfigException for a zone that nobody knows.
    """
    name = setting("core", "default_timezone", "UTC")
    if name.upper() == "UTC":
        return dt.UTC
    if name == "system":
        return dt.datetime.now().astimezone().tzinfo or dt.UTC
    from airlock.sdk.basis.zones import zone  # deferred: most platforms are in UTC

    try:
        return zone(name)
    except ValueError:
        kind = "'system' or the name of a time zone, as 'Europe/Berlin'"
        raise wrong("core", "default_timezone", name, kind) from None


def as_switch(section: str, option: str, value: object) -> bool:
    """Returns a value as on or off; what follows a ``#`` is a comment. Raises AirlockConfigException."""
    text = str(value).partition("#")[0].strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise wrong(section, option, value, "True or False")


def as_whole(section: str, option: str, value: object) -> int:
    """Returns a value as a whole number; ``2.0`` is one. Raises AirlockConfigException."""
    text = str(value)
    try:
        return int(text)
    except ValueError:
        pass
    try:
        if (real := float(text)) == (result := int(real)):
            return result
    except (ValueError, OverflowError):
        pass
    raise wrong(section, option, value, "a whole number")


def as_number(section: str, option: str, value: object) -> float:
    """Returns a value as a number. Raises AirlockConfigException."""
    try:
        return float(str(value))
    except ValueError:
        raise wrong(section, option, value, "a number") from None


def wrong(section: str, option: str, value: object, kind: str) -> Exception:
    """Returns the AirlockConfigException for a value that is not of a kind. It names the variable to correct."""
    from airlock.sdk.exceptions import AirlockConfigException  # deferred: only an error needs it

    names = [f"{product}__{section}__{option}".upper() for product in _PRODUCTS]
    name = next((name for name in names if name in os.environ), names[0])
    return AirlockConfigException(f"[{section}] {option} must be {kind}, not {value!r}: correct {name}")
