"""What the arguments of a DAG are turned into, and which values they may have. Errors name the argument and the fix."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from airlock.sdk._signature import signature_of
from airlock.sdk.bases.options import utc
from airlock.sdk.basis.rules import TriggerRule
from airlock.sdk.basis.settings import default_zone, switch, whole
from airlock.sdk.exceptions import FailFastDagInvalidTriggerRule

if TYPE_CHECKING:
    from airlock.sdk.definitions.dag import DAG

MAX_TAG_CHARS = 100
#: Airflow's defaults of max_active_tasks and max_active_runs.
MAX_ACTIVE = 16
#: The settings of a DAG's options, by the option.
_SETTINGS: Final[dict[str, tuple[Callable[[str, str, None], Any], str, str]]] = {
    "catchup": (switch, "scheduler", "catchup_by_default"),
    "max_active_tasks": (whole, "core", "max_active_tasks_per_dag"),
    "max_active_runs": (whole, "core", "max_active_runs_per_dag"),
    "max_consecutive_failed_dag_runs": (whole, "core", "max_consecutive_failed_dag_runs_per_dag"),
    "disable_bundle_versioning": (switch, "dag_processor", "disable_bundle_versioning"),
}
#: The types that an argument may have, beside None.
_TYPES: Final[dict[str, type]] = {
    "description": str,
    "dag_display_name": str,
    "max_active_tasks": int,
    "max_active_runs": int,
    "max_consecutive_failed_dag_runs": int,
    "dagrun_timeout": timedelta,
}


def given_or_set(**options: Any) -> dict[str, Any]:
    """
    Returns options of a DAG with the settings of those that the author left out. None: it is not set either. Raises
    AirlockConfigException for a wrong setting.
    """
    for name, value in options.items():
        if value is None:
            read, section, option = _SETTINGS[name]
            options[name] = read(section, option, None)
    return options


def types(place: str, **values: Any) -> None:
    """Raises TypeError for an argument of a wrong type; it names the argument."""
    for name, value in values.items():
        kind = _TYPES[name]
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{place}: {name} must be {kind.__name__}, not {type(value).__name__}: {value!r}")


def default_args(value: Mapping[str, Any] | None, place: str) -> dict[str, Any]:
    """Returns the default arguments, copied."""
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{place}: default_args must be a dict, not {value!r}")
    return dict(value or {})


def dates(
    start_date: Any, end_date: Any, defaults: dict[str, Any], place: str
) -> tuple[tzinfo, datetime | None, datetime | None]:
    """
    Returns the DAG's time zone, which is that of its start date, and its dates in UTC. Dates in ``defaults`` are turned
    into UTC in place. Of those without a time zone texts are in the DAG's, and others in the default one.
    """
    for name, value in (("start_date", start_date), ("end_date", end_date)):
        if value is not None and not isinstance(value, datetime):
            raise TypeError(f"{place}: {name} must be a datetime, not {value!r}")
    texts = [name for name in ("start_date", "end_date") if isinstance(defaults.get(name), str)]
    for name in texts:
        defaults[name] = _parsed(defaults[name], place, name)
    start = start_date or defaults.get("start_date")
    zone: tzinfo = (start.tzinfo if isinstance(start, datetime) else None) or default_zone()
    for name in texts:
        if defaults[name].tzinfo is None:
            defaults[name] = defaults[name].replace(tzinfo=zone)
    for name in ("start_date", "end_date"):
        if isinstance(defaults.get(name), datetime):
            defaults[name] = utc(defaults[name])
    return zone, utc(start_date), utc(end_date)


def _parsed(text: str, place: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{place}: default_args: {name} {text!r} is not a date; write 2026-01-31T12:00:00+00:00"
        ) from None


def search_path(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Returns the folders in which template files are looked for."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def document(doc_md: str | None) -> str | None:
    """Returns the document; a name that ends with ``.md`` is read, if there is such a file."""
    if doc_md is not None and doc_md.endswith(".md") and os.path.isfile(doc_md):
        with open(doc_md, encoding="utf-8") as file:
            return file.read()
    return doc_md


def params(value: Mapping[str, Any] | None, defaults: dict[str, Any], place: str) -> Any:
    """
    Returns the parameters; without any a plain empty dict, which needs no import. Those in ``defaults`` are taken out
    of there: a task that has params of its own would get them over its own.
    """
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{place}: params must be a dict, not {value!r}")
    own = defaults.pop("params", None)
    if not value and not own:
        return {}
    from airlock.sdk.bases.defaults import params_as_written
    from airlock.sdk.definitions.param import ParamsDict

    return ParamsDict({**params_as_written(value or {}), **params_as_written(own or {})})


def tags(value: Collection[str] | None, place: str) -> list[str]:
    """Returns the tags, sorted, each once."""
    if isinstance(value, str) or not all(isinstance(tag, str) for tag in value or ()):
        raise TypeError(f"{place}: tags must be a list of texts, not {value!r}")
    for tag in value or ():
        if len(tag) > MAX_TAG_CHARS:
            raise ValueError(f"{place}: tag cannot be longer than {MAX_TAG_CHARS} characters: {tag!r}")
    return sorted(set(value or ()))


def owner_links(value: Mapping[str, str] | None, place: str) -> dict[str, str]:
    """Returns the addresses of owners; ValueError for one that is neither a URL nor a mailto: address."""
    links = dict(value or {})
    for owner, link in links.items():
        scheme, separator, rest = str(link).partition(":")
        if not separator or not rest.strip("/") or (scheme != "mailto" and not rest.startswith("//")):
            raise ValueError(
                f"{place}: owner_links: wrong link format was used for the owner {owner!r}: {link!r}; write an address "
                "such as https://example.com/team or mailto:team@example.com"
            )
    return links


def timetable(schedule: Any, zone: tzinfo) -> Any:
    """Returns the timetable for a schedule; None for a DAG without one, which needs no import."""
    if schedule is None:
        return None
    from airlock.sdk.timetables.schedule import from_schedule

    return from_schedule(schedule, timezone=zone)


def max_active_runs(value: int | None, table: Any, place: str) -> int:
    """Returns how many runs may be active; ValueError where the timetable allows fewer."""
    limit = getattr(table, "active_runs_limit", None)
    runs = MAX_ACTIVE if value is None else value
    if limit is not None and limit < runs:
        raise ValueError(
            f"{place}: Invalid max_active_runs: {type(table).__name__} requires max_active_runs <= {limit}; write "
            f"max_active_runs={limit}"
        )
    return runs


def allowed_run_types(value: Any, table: Any, place: str) -> list[str] | None:
    """Returns the kinds of runs that may be made, sorted; None for all."""
    if value is None:
        return None
    kinds = sorted({str(getattr(each, "value", each)) for each in ([value] if isinstance(value, str) else value)})
    if not kinds:
        return None
    by_assets = type(table).__name__ == "AssetTriggeredTimetable"
    scheduled = table is not None and getattr(table, "can_be_scheduled", True)
    needed = "asset_triggered" if by_assets else "scheduled" if scheduled else "manual"
    if needed not in kinds:
        raise ValueError(f"{place}: allowed_run_types must include {needed!r} with this schedule")
    return kinds


def schedule(dag: "DAG", place: str) -> None:
    """Raises ValueError for a DAG that cannot run by its schedule: no start for catchup, a parameter without value."""
    table = dag.timetable
    if table is None or not getattr(table, "can_be_scheduled", True):
        return
    if dag.catchup and not (dag.start_date or dag.default_args.get("start_date")):
        raise ValueError(f"{place}: start_date is required when catchup=True")
    validate = getattr(dag.params, "validate", None)
    if validate is None:
        return
    from airlock.sdk.exceptions import ParamValidationError

    try:
        validate()
    except ParamValidationError as e:
        raise ValueError(
            f"Dag {dag.dag_id!r} is not allowed to define a Schedule, as there are required params without default "
            f"values, or the default values are not valid: {e}"
        ) from e


def fail_fast(dag: "DAG", task: Any) -> None:
    """Raises FailFastDagInvalidTriggerRule for a task with another trigger rule in a DAG that stops at a failure."""
    if dag.fail_fast and task.trigger_rule not in (TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE_SETUP_SUCCESS):
        raise FailFastDagInvalidTriggerRule(
            f"A 'fail_fast' dag can only have all_success trigger rule; task {task.task_id!r} has "
            f"{task.trigger_rule.value}"
        )


def setups(dag: "DAG") -> None:
    """Raises ValueError where a task directly after a setup has another trigger rule than ``all_success``."""
    for task in dag.tasks:
        if task.is_setup:
            for each in task.downstream_list:
                if not each.is_teardown and each.trigger_rule != TriggerRule.ALL_SUCCESS:
                    raise ValueError(
                        f"Setup tasks must be followed with trigger rule ALL_SUCCESS; task {each.node_id!r}, directly "
                        f"after the setup {task.node_id!r}, has {each.trigger_rule.value}"
                    )


def arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], dag: "DAG"
) -> dict[str, Any]:
    """Returns what the function under ``@dag`` is called with: a stand-in for each of its parameters."""
    signature = signature_of(function)
    if not signature.by_name and not args and not kwargs:
        return {}
    values = {**signature.defaults, **dict(zip(signature.by_position, args, strict=False)), **kwargs}
    if missing := [name for name in signature.by_name if name not in values]:
        raise TypeError(f"{function.__name__}() misses the argument {missing[0]!r}; give it a default, or in the call")
    return {name: dag.param(name, value) for name, value in values.items()}


def warn(text: str) -> None:
    """Warns the author."""
    import warnings

    warnings.warn(text, UserWarning, stacklevel=4)
