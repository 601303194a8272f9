"""
Functions and modules for templates, as ``macros``: ``{{ macros.ds_add(ds, 7) }}``.

The modules are imported at their first use. A template without macros pays for none of them.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import datetime as dt

#: Each module, or a name of a module, that a template finds here.
_MODULES: Final = {
    "datetime": ("datetime", "datetime"),
    "timedelta": ("datetime", "timedelta"),
    "random": ("random", "random"),
    "dateutil": ("dateutil", ""),
    "json": ("json", ""),
    "time": ("time", ""),
    "uuid": ("uuid", ""),
    "yaml": ("yaml", ""),
}


def __getattr__(name: str) -> Any:
    """Returns a module, or a name of one; raises AttributeError for any other name."""
    if name not in _MODULES:
        raise AttributeError(f"macros has no {name!r}")
    from importlib import import_module

    module, attribute = _MODULES[name]
    try:
        value: Any = import_module(module)
    except ImportError as error:
        raise AttributeError(f"macros.{name} needs a package that is not installed here: {error}") from error
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def ds_add(ds: str, days: int) -> str:
    """Returns the date that is so many days after a date, both as ``YYYY-MM-DD``. Days before it are negative."""
    if not days:
        return str(ds)
    import datetime as dt

    return (_read(ds, "%Y-%m-%d") + dt.timedelta(days=days)).strftime("%Y-%m-%d")


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """Returns a date in another format, both as ``strftime`` has them."""
    return _read(ds, input_format).strftime(output_format)


def ds_format_locale(ds: str, input_format: str, output_format: str, locale: Any = None) -> str:
    """
    Returns a date in a format and language of babel, for example ``EEEE dd MMMM yyyy`` and ``en_US``.

    Without a locale it is that of the environment, and without one there ``en_US``. Raises ImportError where babel is
    not installed.
    """
    from babel import Locale
    from babel.dates import LC_TIME, format_datetime

    return str(format_datetime(_read(ds, input_format), output_format, locale=locale or LC_TIME or Locale("en_US")))


def datetime_diff_for_humans(dt: Any, since: Any = None) -> str:
    """
    Returns how long a moment is before or after another, in words: ``2 hours before``. Without another, from now.

    Raises ImportError where pendulum is not installed.
    """
    import pendulum

    return str(pendulum.instance(dt).diff_for_humans(since))


def _read(text: str, form: str) -> "dt.datetime":
    import datetime as dt

    return dt.datetime.strptime(str(text), form)  # noqa: DTZ007 - a date, without a time
