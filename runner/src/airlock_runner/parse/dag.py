"""Writes a DAG as plain data (``airlock_wire.dags``): what the author wrote, and nothing that varies between parses."""

from typing import Any

from airlock.sdk.definitions.dag import DAG
from airlock.sdk.definitions.graph.taskgroup import TaskGroup
from airlock.sdk.exceptions import LoadError
from airlock_runner.json_values import serialized
from airlock_runner.parse import mapping, options, watchers
from airlock_runner.parse.task import callbacks_of, task_of
from airlock_runner.parse.zones import zone_name
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.schedule import Null


def serialize(dag: DAG, file: str, source: str = "") -> SerializedDag:
    """Returns a DAG as plain data. Raises LoadError for what has no form, such as a parameter that is not JSON."""
    try:
        return _dag(dag, file, source)
    except LoadError:
        raise
    except Exception as e:
        raise LoadError(f"{file}:{dag.line}: {type(e).__name__}: DAG {dag.dag_id!r}: {e}") from e


def _dag(dag: DAG, file: str, source: str) -> SerializedDag:
    return SerializedDag(
        dag_id=dag.dag_id,
        tasks=[task_of(task, file) for task in dag.tasks],
        groups=[_group(each) for each in dag.task_group_dict.values()],
        schedule=_schedule(dag),
        start_date=dag.start_date,
        end_date=dag.end_date,
        timezone=zone_name(dag.timezone),
        **dag.given,
        dagrun_timeout_seconds=None if dag.dagrun_timeout is None else dag.dagrun_timeout.total_seconds(),
        fail_fast=dag.fail_fast,
        is_paused_upon_creation=dag.is_paused_upon_creation,
        render_template_as_native_obj=dag.render_template_as_native_obj,
        rerun_with_latest_version=dag.rerun_with_latest_version,
        allowed_run_types=dag.allowed_run_types,
        deadlines=options.deadlines(dag.deadline),
        params=options.params(dag.params, f"DAG {dag.dag_id!r}"),
        result_task_id=next((task.task_id for task in dag.tasks if task.returns_dag_result), None),
        has_callbacks=callbacks_of(dag, ("on_failure", "on_success")),
        watchers=watchers.watchers_of(dag),
        display_name=None if dag.dag_display_name == dag.dag_id else dag.dag_display_name,
        description=dag.description,
        doc_md=dag.doc_md,
        tags=dag.tags,
        owner_links=dag.owner_links,
        access_control=serialized(dict(dag.access_control or {}), f"DAG {dag.dag_id!r}: access_control"),
        edge_labels={
            before: {after: info["label"] for after, info in edges.items() if info.get("label")}
            for before, edges in dag.edge_info.items()
        },
        relative_file=file,
        line=dag.line,
        source=source,
    )


def _schedule(dag: DAG) -> Any:
    if dag.timetable is None:
        return Null()
    from airlock_runner.parse import schedule  # deferred: it imports the timetables

    return schedule.schedule_of(dag.timetable)


def _group(group: TaskGroup) -> SerializedGroup:
    parent = group.parent_group
    label = group.group_display_name
    return SerializedGroup(
        group_id=group.node_id,
        parent_group_id=parent.group_id if parent is not None else None,
        display_name=label or None,
        tooltip=group.tooltip,
        doc_md=group.doc_md,
        ui_color=group.ui_color,
        ui_fgcolor=group.ui_fgcolor,
        prefix_group_id=group.prefix_group_id,
        children=[child.node_id for child in group.children.values()],
        expansion=mapping.expansion_of(group.expand_input) if group.is_mapped_group else None,  # type: ignore[attr-defined]  # a MappedTaskGroup
        upstream_group_ids=sorted(each for each in group.upstream_group_ids if each),
        downstream_group_ids=sorted(each for each in group.downstream_group_ids if each),
        upstream_task_ids=sorted(group.upstream_task_ids),
        downstream_task_ids=sorted(group.downstream_task_ids),
    )
