"""Settings that the runner's environment carries, by Airflow's sections and options."""

import os
from typing import Final

_TRUE: Final = frozenset({"t", "true", "1"})
_FALSE: Final = frozenset({"f", "false", "0"})


def setting(section: str, option: str, default: str) -> str:
    """Returns an option's value: that of ``AIRLOCK__SECTION__OPTION``, else of ``AIRFLOW__...``, else the default."""
    for product in ("AIRLOCK", "AIRFLOW"):
        value = os.environ.get(f"{product}__{section.upper()}__{option.upper()}")
        if value is not None:
            return value
    return default


def switch(section: str, option: str, *, default: bool) -> bool:
    """Returns an option that is on or off; raises ValueError, which names the option, for a value that is neither."""
    value = setting(section, option, str(default)).strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ValueError(f"the option {option} of the section {section} must be True or False, not {value!r}")
