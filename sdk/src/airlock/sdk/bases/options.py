"""The options that every task takes: their defaults, what they are turned into, and which values they may have."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airlock.sdk.basis import task_settings
from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.basis.settings import default_zone
from airlock_wire import ids

DEFAULT_OWNER: Final = task_settings.OWNER
DEFAULT_POOL: Final = "default_pool"
DEFAULT_QUEUE: Final = task_settings.QUEUE
DEFAULT_RETRIES: Final = task_settings.RETRIES
DEFAULT_RETRY_DELAY: Final = task_settings.RETRY_DELAY
DEFAULT_TASK_EXECUTION_TIMEOUT: Final = task_settings.EXECUTION_TIMEOUT
DEFAULT_WEIGHT_RULE: Final = task_settings.WEIGHT_RULE
DEFAULT_EMAIL_ON_FAILURE: Final = task_settings.EMAIL_ON_FAILURE
DEFAULT_EMAIL_ON_RETRY: Final = task_settings.EMAIL_ON_RETRY
DB_SAFE_MAXIMUM: Final = 2**31 - 1
DB_SAFE_MINIMUM: Final = -(2**31)

#: The types that an option may have, beside None.
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "task_id": (str,),
    "owner": (str,),
    "email": (str, Sequence),
    "email_on_retry": (bool,),
    "email_on_failure": (bool,),
    "retry_exponential_backoff": (int, float),
    "depends_on_past": (bool,),
    "ignore_first_depends_on_past": (bool,),
    "wait_for_past_depends_before_skipping": (bool,),
    "wait_for_downstream": (bool,),
    "priority_weight": (int,),
    "queue": (str,),
    "pool": (str,),
    "pool_slots": (int,),
    "trigger_rule": (str,),
    "run_as_user": (str,),
    "map_index_template": (str,),
    "max_active_tis_per_dag": (int,),
    "max_active_tis_per_dagrun": (int,),
    "executor": (str,),
    "do_xcom_push": (bool,),
    "multiple_outputs": (bool,),
    "doc": (str,),
    "doc_md": (str,),
    "doc_json": (str,),
    "doc_yaml": (str,),
    "doc_rst": (str,),
    "task_display_name": (str,),
    "logger_name": (str,),
    "allow_nested_operators": (bool,),
    "start_date": (datetime,),
    "end_date": (datetime,),
    "templates_dict": (dict,),
}


#: The options that may not be None.
_NEEDED: Final = frozenset({"do_xcom_push", "task_id"})


def check_types(options: Mapping[str, Any], place: str) -> None:
    """
    Raises TypeError for an option of a wrong type, which it names, and AirlockConfigException where a setting that
    gives one a default is wrong.
    """
    for wrong in task_settings.WRONG:
        raise wrong.with_traceback(None)
    for name, value in options.items():
        kinds = TYPES.get(name)
        if kinds is None or isinstance(value, kinds) or (value is None and name not in _NEEDED):
            continue
        if type(value).__name__ in ("PlainXComArg", "MappedArgument"):
            continue
        names = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{place}: {name} must be {names}, not {type(value).__name__}: {value!r}")


def checked_id(value: Any, place: str) -> str:
    """Returns a value that can be an id of a DAG or task (``airlock_wire.ids``); raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(f"{place} must be text, not {type(value).__name__}: {value!r}")
    if wrong := ids.problem(value):
        raise ValueError(f"{place} {value!r} {wrong}")
    return value


def retries_of(value: Any, place: str) -> int:
    """Returns how many tries may follow the first; None is 0, and text is read as a number."""
    if value is None:
        return 0
    if not isinstance(value, bool) and isinstance(value, int | str):
        try:
            number = int(value)
        except ValueError:
            pass
        else:
            if number < 0:
                raise ValueError(f"{place} must be 0 or more, not {number}")
            return number
    raise TypeError(f"{place} must be a whole number, not {type(value).__name__}: {value!r}")


def delay_of(value: Any, place: str) -> timedelta | None:
    """Returns a delay; a number is seconds."""
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{place} must be a timedelta or a number of seconds, not {type(value).__name__}: {value!r}")
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{place} must be 0 seconds or more, not {seconds}")
    return value if isinstance(value, timedelta) else timedelta(seconds=seconds)


def timeout_of(value: Any, place: str) -> timedelta | None:
    """Returns a limit of time; a number is seconds."""
    limit = delay_of(value, place)
    if limit is not None and not limit:
        raise ValueError(f"{place} of 0 would end the task before it starts; leave it out for no limit")
    return limit


def utc(value: datetime | None) -> datetime | None:
    """
    Returns a date in UTC. One without a time zone is in the default one, as in Airflow: also where its DAG has another.
    """
    if value is None:
        return None
    if value.tzinfo is None:
        value = value.replace(tzinfo=default_zone())
    return value.astimezone(UTC)


def trigger_rule_of(value: Any, place: str) -> TriggerRule:
    """Returns the trigger rule of this name; ValueError lists the rules."""
    try:
        return TriggerRule(value)
    except ValueError:
        rules = ", ".join(rule.value for rule in TriggerRule)
        raise ValueError(f"{place}: there is no trigger_rule {value!r}; the rules are {rules}") from None


def several(value: Any) -> list[Any]:
    """Returns one thing or several as a list; None gives an empty one."""
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset) or (
        isinstance(value, Collection) and not isinstance(value, str | Mapping) and not callable(value)
    ):
        return list(value)
    return [value]


def assets(value: Any, place: str) -> list[Any]:
    """Returns inlets or outlets, one by one; TypeError for what is not an asset."""
    if value is None or (isinstance(value, list | tuple) and not value):
        return []
    from airlock.sdk.definitions.asset.declared import checked  # deferred: most tasks have none

    return list(checked(value, place))


def resources_of(value: Mapping[str, Any] | None) -> Any:
    """Returns what a task needs of a machine, as Resources; None stays."""
    if value is None:
        return None
    from airlock.sdk.definitions.operator_resources import Resources  # deferred: hardly any task has them

    return Resources(**value)


def db_safe_priority(value: int) -> int:
    """Returns a priority that a database column of 32 bits holds."""
    return max(DB_SAFE_MINIMUM, min(DB_SAFE_MAXIMUM, int(value)))


#: What a value becomes when it is given or set: the function gets the value and what a message calls the place.
CONVERTERS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "retries": retries_of,
    "retry_delay": delay_of,
    "max_retry_delay": delay_of,
    "execution_timeout": timeout_of,
    "trigger_rule": trigger_rule_of,
}
