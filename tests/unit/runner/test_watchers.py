"""Watchers of a DAG's assets as plain data, wherever the DAG names the asset."""

import pytest

from airlock.sdk import DAG, Asset, AssetWatcher
from airlock.sdk.bases.trigger import BaseEventTrigger
from airlock.sdk.timetables.assets import AssetOrTimeSchedule
from airlock.sdk.timetables.trigger import CronTriggerTimetable
from airlock.standard.operators.empty import EmptyOperator
from airlock_runner.parse.dag import serialize
from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags.triggers import SerializedWatcher


class Own(BaseEventTrigger):
    def __init__(self, queue):
        super().__init__()
        self.queue = queue

    def serialize(self):
        return f"{__name__}.Own", {"queue": self.queue}

    async def run(self):
        yield


WATCHED = Asset("a", uri="s3://a/", watchers=[AssetWatcher(name="w", trigger=Own("q"))])
EXPECTED = SerializedWatcher(
    asset=DeclaredAsset(name="a", uri="s3://a/"), name="w", classpath=f"{__name__}.Own", kwargs={"queue": "q"}
)


@pytest.mark.parametrize(
    ("schedule", "task"),
    [
        (WATCHED, {}),
        ([Asset("b"), WATCHED], {}),
        ((Asset("b") | WATCHED) & Asset("c"), {}),
        (AssetOrTimeSchedule(assets=WATCHED, timetable=CronTriggerTimetable("@daily", "UTC")), {}),
        (None, {"inlets": [WATCHED]}),
        (None, {"outlets": [Asset("b"), WATCHED]}),
        (WATCHED, {"inlets": [WATCHED], "outlets": [WATCHED]}),
    ],
    ids=["asset", "list", "condition", "by time too", "inlet", "outlet", "several places"],
)
def test_a_watched_asset_has_its_watcher_once(schedule, task):
    with DAG("d", schedule=schedule) as dag:
        EmptyOperator(task_id="t", **task)

    assert [EXPECTED] == serialize(dag, "d.py").watchers


def test_a_dag_without_watched_assets_has_none():
    with DAG("d", schedule=[Asset("b")]) as dag:
        EmptyOperator(task_id="t")

    assert [] == serialize(dag, "d.py").watchers
