"""Writes a task as plain data."""

from typing import Any, Final

import msgspec

from airlock.sdk.definitions.xcom_arg import ResolveMixin
from airlock.sdk.exceptions import LoadError, NotJson
from airlock_runner.json_values import plain, serialized
from airlock_runner.mail.addresses import addresses
from airlock_runner.options import line_of, multiplier
from airlock_runner.parse import mapping, options
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.triggers import StartTrigger
from airlock_wire.dags.words import TriggerRule

_CALLBACKS: Final = ("on_execute", "on_failure", "on_retry", "on_skipped", "on_success")
_MAX_FIELD_CHARS: Final = 4096


def task_of(task: Any, file: str) -> SerializedTask:
    """Returns a task as plain data. Raises LoadError for what has no form."""
    line = line_of(task)
    place = f"{file}:{line}: NotJson: task {task.task_id!r}"
    kind = task.operator_class
    return SerializedTask(
        task_id=task.task_id,
        task_type=task.operator_name if task.operator_name.startswith("@") else kind.__name__,
        task_module=kind.__module__,
        display_name=None if task.task_display_name == task.task_id else task.task_display_name,
        owner=task.owner,
        retries=task.retries or 0,
        retry_delay_seconds=task.retry_delay.total_seconds(),
        retry_exponential_backoff=multiplier(task.retry_exponential_backoff),
        max_retry_delay_seconds=_seconds(task.max_retry_delay),
        execution_timeout_seconds=_seconds(task.execution_timeout),
        trigger_rule=TriggerRule(getattr(task.trigger_rule, "value", task.trigger_rule)),
        depends_on_past=task.depends_on_past,
        wait_for_downstream=task.wait_for_downstream,
        ignore_first_depends_on_past=task.ignore_first_depends_on_past,
        wait_for_past_depends_before_skipping=task.wait_for_past_depends_before_skipping,
        pool=task.pool,
        pool_slots=task.pool_slots,
        queue=task.queue,
        priority_weight=task.priority_weight,
        weight_rule=options.weight_rule(task.weight_rule),
        executor=task.executor,
        executor_config=_config(task.executor_config),
        start_date=task.start_date,
        end_date=task.end_date,
        max_active_tis_per_dag=task.max_active_tis_per_dag,
        max_active_tis_per_dagrun=task.max_active_tis_per_dagrun,
        is_setup=task.is_setup,
        is_teardown=task.is_teardown,
        on_failure_fail_dagrun=task.on_failure_fail_dagrun,
        downstream_task_ids=sorted(task.downstream_task_ids),
        group_id=task.task_group.group_id if task.task_group is not None else None,
        expansion=mapping.expansion_of(task.expand_input) if task.is_mapped else None,
        map_index_template=task.map_index_template,
        inlets=_declarations(task.inlets, f"{place}: inlets"),
        outlets=_declarations(task.outlets, f"{place}: outlets"),
        params=options.own_params(task, f"task {task.task_id!r}"),
        templates=_templates(task),
        templates_ext=list(task.template_ext),
        templates_renderers=dict(task.template_fields_renderers),
        has_callbacks=callbacks_of(task, _CALLBACKS),
        has_retry_policy=task.retry_policy is not None,
        can_skip=bool(task.inherits_from_skipmixin),
        is_empty=_is_empty(task),
        is_sensor=bool(getattr(kind, "is_sensor", False)),
        start_trigger=_start_trigger(task),
        multiple_outputs=bool(task.multiple_outputs),
        do_xcom_push=task.do_xcom_push,
        email=addresses(task.email),
        email_on_failure=task.email_on_failure,
        email_on_retry=task.email_on_retry,
        doc=task.doc,
        doc_md=task.doc_md,
        doc_json=task.doc_json,
        doc_yaml=task.doc_yaml,
        doc_rst=task.doc_rst,
        ui_color=task.ui_color,
        ui_fgcolor=task.ui_fgcolor,
        extra_links={link.name: link.xcom_key for link in task.operator_extra_links},
        line=line,
    )


def callbacks_of(owner: Any, names: tuple[str, ...]) -> list[str]:
    """Returns the names of the callbacks that the author gave."""
    return [name for name in names if getattr(owner, f"{name}_callback", None)]


def _seconds(span: Any) -> float | None:
    return None if span is None else span.total_seconds()


def _config(config: Any) -> dict[str, Any]:
    """Returns the executor's configuration; empty where it has what is not JSON, as a pod."""
    try:
        return dict(serialized(dict(config or {}), "executor_config"))
    except (NotJson, TypeError, ValueError):
        return {}


def _is_empty(task: Any) -> bool:
    """Tells whether a scheduler may complete the task itself: it does nothing, and nothing hangs on that it ran."""
    if not task.inherits_from_empty_operator or task.inlets or task.outlets:
        return False
    return not task.on_execute_callback and not task.on_success_callback


def _start_trigger(task: Any) -> StartTrigger | None:
    start = task.start_trigger_args if task.start_from_trigger else None
    if start is None:
        return None
    place = f"task {task.task_id!r}: start_trigger_args"
    return StartTrigger(
        trigger_cls=start.trigger_cls,
        trigger_kwargs=serialized(dict(start.trigger_kwargs or {}), place),
        next_method=start.next_method,
        next_kwargs=serialized(dict(start.next_kwargs or {}), place),
        timeout_seconds=_seconds(start.timeout),
    )


def _templates(task: Any) -> dict[str, str]:
    values = task.partial_kwargs if task.is_mapped else vars(task)
    return {field: _shown(values.get(field)) for field in task.template_fields}


def _shown(value: Any) -> str:
    """Returns a field for people: the author's text, else a form of the value that is the same at each parse."""
    text = value if isinstance(value, str) else _stable(value)
    return text.encode(errors="backslashreplace").decode()[:_MAX_FIELD_CHARS]


def _stable(value: Any) -> str:
    if value is None or isinstance(value, str | int | float | ResolveMixin):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_stable(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_stable, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(_stable, value))) + "}"
    # A repr may have an address in memory, which is another one at each parse.
    return f"<{getattr(value, '__name__', type(value).__name__)}>"


def _declarations(assets: Any, place: str) -> list[dict[str, Any]]:
    if not assets:
        return []
    from airlock.sdk.definitions.asset.declared import declaration  # deferred: most tasks have none

    try:
        return [plain(msgspec.structs.asdict(declaration(each)), repr(each)) for each in assets]
    except NotJson as e:
        raise LoadError(f"{place}: {e}") from e
