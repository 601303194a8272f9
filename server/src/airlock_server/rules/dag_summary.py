"""Writes what a list of DAGs shows of one: its schedule in words, its owners, its groups. Pure."""

from datetime import timedelta

import msgspec

from airlock_server.rules.triggering import DagFacts
from airlock_wire.dags import schedule as schedules
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.moments import Span

_PARTITIONED = (schedules.CronPartition, schedules.PartitionedAssets, schedules.PartitionedAtRuntime)


def facts(dag: SerializedDag, bundle_version: str | None) -> DagFacts:
    """Returns what is known of a DAG beside its name."""
    return DagFacts(
        bundle_version=bundle_version,
        relative_fileloc=dag.relative_file,
        owners=owners(dag),
        tags=dag.tags,
        allowed_run_types=dag.allowed_run_types,
        is_partitioned=isinstance(dag.schedule, _PARTITIONED),
        task_groups=task_groups(dag),
    )


def owners(dag: SerializedDag) -> str:
    """Returns the owners of its tasks, each once, with commas between them."""
    return ", ".join(sorted({task.owner for task in dag.tasks}))


def task_groups(dag: SerializedDag) -> dict[str, list[str]]:
    """Returns the tasks in each group, and in the groups inside it."""
    parents = {group.group_id: group.parent_group_id for group in dag.groups}
    members: dict[str, list[str]] = {group_id: [] for group_id in parents}
    for task in dag.tasks:
        group_id = task.group_id
        while group_id is not None:
            members[group_id].append(task.task_id)
            group_id = parents[group_id]
    return members


def schedule_words(schedule: schedules.Schedule) -> str:
    """Returns the schedule in a few words, those of Airflow where it has some."""
    match schedule:
        case schedules.Null():
            return "None"
        case schedules.Once():
            return "@once"
        case schedules.Continuous():
            return "@continuous"
        case schedules.CronTrigger() | schedules.CronDataInterval() | schedules.CronPartition():
            return schedule.expression
        case schedules.MultipleCron():
            return ", ".join(schedule.expressions)
        case schedules.DeltaTrigger() | schedules.DeltaDataInterval():
            return _span(schedule.delta)
        case schedules.Events():
            return schedule.description or "Events"
        case schedules.Assets() | schedules.PartitionedAssets():
            return "Asset"
        case schedules.AssetOrTime():
            return f"Asset or {schedule_words(schedule.timetable)}"
        case schedules.PartitionedAtRuntime():
            return "Partitioned at runtime"
        case schedules.Custom():
            return schedule.description or schedule.classpath.rpartition(".")[2]


def _span(span: Span) -> str:
    if span.calendar is None:
        return str(timedelta(seconds=span.seconds))
    parts = msgspec.structs.asdict(span.calendar)
    words = (f"{name}={value:+}" if name.endswith("s") else f"{name}={value}" for name, value in parts.items() if value)
    return f"relativedelta({', '.join(words)})"
