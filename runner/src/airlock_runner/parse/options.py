"""Writes parameters, deadlines and the like as plain data."""

from collections.abc import Mapping
from typing import Any

from airlock.sdk.basis.notset import is_arg_set
from airlock_runner.json_values import plain
from airlock_wire.dags.deadlines import SerializedDeadline
from airlock_wire.dags.params import SerializedParam


def params(written: Mapping[str, Any], place: str) -> dict[str, SerializedParam]:
    """Returns parameters with their schemas. Raises NotJson for a value that is not JSON."""
    get_param = getattr(written, "get_param", None)
    if get_param is None:
        return {name: SerializedParam(value=plain(value, f"{place}: params")) for name, value in written.items()}
    return {name: _param(get_param(name), f"{place}: params") for name in written}


def _param(param: Any, place: str) -> SerializedParam:
    # None is a default as any other: Param.has_value says whether there is another.
    has_value = is_arg_set(param.value)
    return SerializedParam(
        value=plain(param.value, place) if has_value else None,
        has_value=has_value,
        schema=plain(_with_text_keys(dict(param.schema)), place),
        description=param.description,
        source=getattr(param, "source", None),
    )


def _with_text_keys(value: Any) -> Any:
    """Returns a schema as JSON writes it: its keys are texts, where an author wrote numbers."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list | tuple) else value


def own_params(task: Any, place: str) -> dict[str, SerializedParam]:
    """Returns the parameters that the task has beside its DAG's, or with another value."""
    if not task.params:
        return {}
    dag = task.get_dag()
    of_dag = params(dag.params, place) if dag is not None and dag.params else {}
    return {name: value for name, value in params(task.params, place).items() if of_dag.get(name) != value}


def weight_rule(rule: Any) -> str:
    """Returns a weight rule's word, or the path of the author's class."""
    if isinstance(rule, str):
        return str(getattr(rule, "value", rule))
    kind = rule if isinstance(rule, type) else type(rule)
    return f"{kind.__module__}.{kind.__qualname__}"


def deadlines(alerts: Any) -> list[SerializedDeadline]:
    """Returns a DAG's deadlines."""
    if not alerts:
        return []
    from airlock_runner.parse.deadlines import deadline_of  # deferred: few DAGs have any

    return [deadline_of(each) for each in alerts]
