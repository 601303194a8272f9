"""
The options that a task has where nobody says otherwise: settings of the platform, read when this is imported.

A wrong one is an error where a task is made, and not of the import: nobody would learn of that which DAG file it hit.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from airlock.sdk.basis.rules import WeightRule
from airlock.sdk.basis.settings import setting, switch, whole, wrong
from airlock.sdk.exceptions import AirlockConfigException

#: What is wrong with these settings.
WRONG: Final[list[AirlockConfigException]] = []

D = TypeVar("D")


def _read(read: Callable[[str, str, D], D], section: str, option: str, default: D) -> D:
    try:
        return read(section, option, default)
    except AirlockConfigException as error:
        WRONG.append(error)
        return default


def _count(section: str, option: str, default: int) -> int:
    number = whole(section, option, default)
    if number < 0:
        raise wrong(section, option, number, "0 or more")
    return number


def _span(section: str, option: str, default: timedelta) -> timedelta:
    seconds = whole(section, option, None)
    if seconds is None:
        return default
    return _timedelta(section, option, seconds, 0)


def _limit(section: str, option: str, default: timedelta | None) -> timedelta | None:
    # Empty is Airflow's default: without a limit. As there, 1.0 is refused, which a whole number may be elsewhere.
    text = setting(section, option, "")
    if not text:
        return default
    try:
        seconds = int(text)
    except ValueError:
        raise wrong(section, option, text, "empty or whole seconds") from None
    return _timedelta(section, option, seconds, 1)


def _timedelta(section: str, option: str, seconds: int, least: int) -> timedelta:
    try:
        if seconds >= least:
            return timedelta(seconds=seconds)
    except OverflowError:
        pass
    raise wrong(section, option, seconds, f"{least} seconds or more, of a length that a timedelta can have")


def _weight_rule(section: str, option: str, default: WeightRule) -> WeightRule:
    name = setting(section, option, default)
    try:
        return WeightRule(name)
    except ValueError:
        raise wrong(section, option, name, " or ".join(rule.value for rule in WeightRule)) from None


OWNER: Final[str] = setting("operators", "default_owner", "airflow")
QUEUE: Final[str] = setting("operators", "default_queue", "default")
RETRIES: Final = _read(_count, "core", "default_task_retries", 0)
RETRY_DELAY: Final = _read(_span, "core", "default_task_retry_delay", timedelta(seconds=300))
EXECUTION_TIMEOUT: Final = _read(_limit, "core", "default_task_execution_timeout", None)
WEIGHT_RULE: Final = _read(_weight_rule, "core", "default_task_weight_rule", WeightRule.DOWNSTREAM)
EMAIL_ON_FAILURE: Final = _read(switch, "email", "default_email_on_failure", default=True)
EMAIL_ON_RETRY: Final = _read(switch, "email", "default_email_on_retry", default=True)
