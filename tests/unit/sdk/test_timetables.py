"""Timetables as definitions. tests/contract/sdk has them beside Airflow's."""

import datetime as dt

import hypothesis
import hypothesis.strategies as st
import pytest
from croniter import croniter
from doubles.imports import imported_by

from airlock.sdk import Asset
from airlock.sdk.exceptions import AirlockTimetableInvalid
from airlock.sdk.timetables import cron
from airlock.sdk.timetables.assets import AssetOrTimeSchedule, AssetTriggeredTimetable, PartitionedAssetTimetable
from airlock.sdk.timetables.events import EventsTimetable
from airlock.sdk.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airlock.sdk.timetables.schedule import from_schedule
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, Timetable
from airlock.sdk.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable

NUMBER = st.integers(0, 99).map(str)
PART = st.one_of(
    st.just("*"), NUMBER, st.builds("{}-{}".format, NUMBER, NUMBER), st.builds("{}-{}/{}".format, NUMBER, NUMBER, NUMBER),
    st.builds("*/{}".format, NUMBER), st.sampled_from(["MON", "JAN", "L", "?", "²", "1#2", "", "7"]),
)  # fmt: skip
FIELD = st.lists(PART, min_size=1, max_size=3).map(",".join)
EXPRESSION = st.lists(FIELD, min_size=4, max_size=6).map(" ".join)
NOON = dt.datetime(2026, 3, 8, 12, tzinfo=dt.UTC)


@hypothesis.given(EXPRESSION)
@hypothesis.settings(max_examples=500)
def test_what_is_known_to_be_right_without_croniter_is_right_for_it(expression):
    if cron.is_simple(expression):
        croniter(expression)


@pytest.mark.parametrize(
    ("expression", "simple"),
    [
        ("0 0 * * *", True), ("*/5 9-17 1,15 1-12/3 0-6", True), ("60 0 * * *", False), ("0 0 * * MON", False), ("0 0 * * *  ", False),
        ("0 0 0 * *", False), ("5-1 * * * *", False), ("*/0 * * * *", False), ("1/5 * * * *", False), ("0 0 * *", False), ("", False),
    ],
)  # fmt: skip
def test_only_numbers_ranges_and_steps_are_simple(expression, simple):
    assert simple == cron.is_simple(expression)


@pytest.mark.parametrize("schedule", ["nonsense", "60 * * * *", dt.timedelta(0), CronTriggerTimetable("x", "UTC")])
def test_a_schedule_that_cannot_be_is_an_error_where_the_dag_is_made(schedule):
    with pytest.raises(AirlockTimetableInvalid, match="the schedule"):
        from_schedule(schedule)


@pytest.mark.parametrize(
    "timetable",
    [
        AssetOrTimeSchedule(assets=[Asset("a")], timetable=CronTriggerTimetable("x", "UTC")),
        MultipleCronTriggerTimetable("@daily", "x", timezone="UTC"), CronTriggerTimetable("@daily", "No/Where"),
    ],
)  # fmt: skip
def test_what_a_timetable_holds_is_checked_with_it(timetable):
    with pytest.raises(AirlockTimetableInvalid):
        from_schedule(timetable)


@pytest.mark.parametrize("schedule", [3, [Asset("a"), "b"], object()])
def test_what_is_not_a_schedule_is_refused_with_what_is(schedule):
    with pytest.raises(ValueError, match="is not a schedule; use None"):
        from_schedule(schedule)


def test_one_setting_makes_texts_and_steps_be_for_intervals(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", "True")

    assert CronDataIntervalTimetable("0 0 * * *", "Europe/Oslo") == from_schedule("@daily", timezone="Europe/Oslo")
    assert DeltaDataIntervalTimetable(dt.timedelta(1)) == from_schedule(dt.timedelta(1))


def test_assets_are_a_condition():
    a, b = Asset("a"), Asset("b")

    assert AssetTriggeredTimetable(a & b) == from_schedule([a, b])
    assert AssetTriggeredTimetable(a | b) == from_schedule(a | b)
    assert {} == PartitionedAssetTimetable(a).partition_mapper_config


def test_events_are_in_order_and_each_once():
    earlier = NOON - dt.timedelta(1)

    assert [earlier, NOON] == EventsTimetable([NOON, earlier, NOON]).event_dates
    assert [NOON, earlier] == EventsTimetable([NOON, earlier], presorted=True).event_dates


class Noon(Timetable):
    def infer_manual_data_interval(self, *, run_after):
        return DataInterval.exact(run_after)

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        return DagRunInfo.interval(NOON, NOON + dt.timedelta(1))


def test_an_authors_own_timetable_computes_its_runs():
    run = Noon().next_dagrun_info_v2(last_dagrun_info=None, restriction=None)

    assert (NOON + dt.timedelta(1), NOON) == (run.run_after, run.logical_date)
    assert (NOON, NOON) == Noon().infer_manual_data_interval(run_after=NOON)
    assert Noon() == Noon.deserialize(Noon().serialize())
    assert Noon() == from_schedule(Noon())
    assert "manual__2026-03-08T12:00:00+00:00" == Noon().generate_run_id(
        run_type="manual", run_after=NOON, data_interval=DataInterval.exact(NOON - dt.timedelta(1))
    )
    with pytest.raises(NotImplementedError, match="Timetable must implement next_dagrun_info"):
        Timetable().next_dagrun_info(last_automated_data_interval=None, restriction=None)


def test_an_ordinary_schedule_imports_no_cron_library():
    imported = imported_by(
        "airlock.sdk.timetables.schedule", "airlock.sdk.timetables.trigger", "airlock.sdk.timetables.simple"
    )

    assert set() == imported & {"croniter", "dateutil", "zoneinfo", "dataclasses", "airlock.sdk.definitions.asset"}
