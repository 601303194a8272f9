"""What a list of DAGs shows of one: tables."""

from datetime import UTC, datetime

import pytest

from airlock_server.rules.dag_summary import facts, schedule_words
from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags import conditions, schedule
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.group import SerializedGroup
from airlock_wire.dags.moments import CalendarStep, Span
from airlock_wire.dags.task import SerializedTask

CONDITION = conditions.OneAsset(asset=DeclaredAsset(type="Asset", name="a", uri="a"))
CRON = "0 6 * * *"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (schedule.Null(), "None"),
        (schedule.Once(), "@once"),
        (schedule.Continuous(), "@continuous"),
        (schedule.CronTrigger(expression=CRON), CRON),
        (schedule.CronDataInterval(expression=CRON), CRON),
        (schedule.CronPartition(expression=CRON), CRON),
        (schedule.MultipleCron(expressions=[CRON, "@daily"]), "0 6 * * *, @daily"),
        (schedule.DeltaTrigger(delta=Span(seconds=90000)), "1 day, 1:00:00"),
        (schedule.DeltaDataInterval(delta=Span(calendar=CalendarStep(months=1, day=3))), "relativedelta(months=+1, day=3)"),
        (schedule.Events(dates=[datetime(2026, 1, 1, tzinfo=UTC)], description="holidays"), "holidays"),
        (schedule.Events(dates=[]), "Events"),
        (schedule.Assets(condition=CONDITION), "Asset"),
        (schedule.PartitionedAssets(condition=CONDITION), "Asset"),
        (schedule.AssetOrTime(timetable=schedule.CronTrigger(expression=CRON), condition=CONDITION), f"Asset or {CRON}"),
        (schedule.PartitionedAtRuntime(), "Partitioned at runtime"),
        (schedule.Custom(classpath="my.module.Lunar"), "Lunar"),
        (schedule.Custom(classpath="my.module.Lunar", description="each full moon"), "each full moon"),
    ],
)  # fmt: skip
def test_a_schedule_has_a_few_words(given, words):
    assert words == schedule_words(given)


def test_the_facts_of_a_dag_have_its_owners_once_and_the_tasks_of_each_group_with_those_inside():
    dag = SerializedDag(
        dag_id="d",
        tasks=[
            SerializedTask(task_id="a", owner="zoe", group_id="outer"),
            SerializedTask(task_id="b", owner="ann", group_id="outer.inner"),
            SerializedTask(task_id="c", owner="zoe"),
        ],
        groups=[SerializedGroup(group_id="outer"), SerializedGroup(group_id="outer.inner", parent_group_id="outer")],
        schedule=schedule.PartitionedAtRuntime(),
        relative_file="f.py",
    )

    known = facts(dag, "v1")

    assert ("ann, zoe", "v1", "f.py", True) == (
        known.owners, known.bundle_version, known.relative_fileloc, known.is_partitioned,
    )  # fmt: skip
    assert {"outer": ["a", "b"], "outer.inner": ["b"]} == known.task_groups
