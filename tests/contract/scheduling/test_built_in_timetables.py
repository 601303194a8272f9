"""The timetables that come with Airlock compute Airflow's runs: timetables of an author's extend them."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dateutil.relativedelta import relativedelta

from airlock.sdk.timetables import events, interval, runs, simple, trigger
from airlock.sdk.timetables.timetable import DagRunInfo, DataInterval, TimeRestriction

DRIVER = Path(__file__).parent / "drivers/built_in_timetables.py"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
CRONS = ["0 0 * * *", "30 2 * * *", "0 * * * *", "*/15 * * * *", "0 0 1 * *", "15 1-3 * * *", "0 12 * * 1-5"]
SPANS = [
    {"seconds": 3600},
    {"seconds": 86400},
    {"seconds": 5400},
    {"months": 1},
    {"days": 2},
    {"hours": 6, "minutes": 30},
]
#: Around these the clocks of the zones change.
CHANGES = [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
KINDS = [
    "CronDataIntervalTimetable", "DeltaDataIntervalTimetable", "CronTriggerTimetable", "DeltaTriggerTimetable",
    "MultipleCronTriggerTimetable", "CronPartitionTimetable", "EventsTimetable", "NullTimetable", "OnceTimetable",
    "ContinuousTimetable",
]  # fmt: skip


def make(kind, chance):
    """A class and its arguments."""
    zone, cron, span = chance.choice(ZONES), chance.choice(CRONS), chance.choice(SPANS)
    grace = chance.choice([True, False, {"seconds": 1800}])
    if kind == "CronDataIntervalTimetable":
        return [kind, [cron, zone], {}]
    if kind == "DeltaDataIntervalTimetable":
        return [kind, [span], {}]
    if kind == "DeltaTriggerTimetable":
        return [kind, [span], chance.choice([{}, {"interval": {"seconds": 7200}}])]
    if kind == "CronTriggerTimetable":
        return [kind, [cron], {"timezone": zone, "interval": {"seconds": 7200}, "run_immediately": grace}]
    if kind == "MultipleCronTriggerTimetable":
        return [kind, chance.sample(CRONS, 2), {"timezone": zone, "run_immediately": grace}]
    if kind == "CronPartitionTimetable":
        return [
            kind,
            [cron],
            {"timezone": zone, "run_offset": chance.choice([None, 0, 1, -2]), "run_immediately": grace},
        ]
    if kind == "EventsTimetable":
        dates = [moment(chance) for _ in range(chance.randrange(5))]
        return [kind, [dates], {"restrict_to_events": chance.choice([True, False])}]
    return [kind, [], {}]


def moment(chance, least=-400, most=500):
    return (chance.choice(CHANGES) + timedelta(minutes=15 * chance.randrange(least, most))).isoformat()


def case(number):
    chance = random.Random(number)
    of = {"make": make(KINDS[number % len(KINDS)], chance), "now": moment(chance)}
    if chance.random() < 0.2:
        return of | {"manual": moment(chance)}
    last = sorted([moment(chance), moment(chance)])
    return of | {
        "last": chance.choice([None, last]),
        "earliest": chance.choice([None, moment(chance), moment(chance)]),
        "latest": chance.choice([None, None, moment(chance, 200, 1000)]),
        "catchup": chance.choice([True, False]),
    }


def parsed(text):
    return None if text is None else datetime.fromisoformat(text)


def value(given):
    if isinstance(given, dict):
        return timedelta(seconds=given["seconds"]) if "seconds" in given else relativedelta(**given)
    return [parsed(each) for each in given] if isinstance(given, list) else given


def ours(of, monkeypatch):
    monkeypatch.setattr(runs, "utcnow", lambda: parsed(of["now"]))
    kind, positional, keyword = of["make"]
    table = {**vars(simple), **vars(events), **vars(interval), **vars(trigger)}[kind](
        *map(value, positional), **{name: value(each) for name, each in keyword.items()}
    )
    if "manual" in of:
        run_after = parsed(of["manual"])
        ends = table.infer_manual_data_interval(run_after=run_after)
        return [run_after.timestamp(), *(each.timestamp() for each in ends), None, None]
    last = of["last"]
    info = table.next_dagrun_info_v2(
        last_dagrun_info=last and DagRunInfo(parsed(last[1]), DataInterval(*map(parsed, last))),
        restriction=TimeRestriction(parsed(of["earliest"]), parsed(of["latest"]), of["catchup"]),
    )
    if info is None:
        return None
    moments = (info.run_after, *(info.data_interval or (None, None)), info.partition_date)
    return [*(each and each.timestamp() for each in moments), info.partition_key]


@pytest.mark.timeout(300)
def test_the_runs_and_intervals_are_airflows(run_driver, monkeypatch):
    cases = [case(number) for number in range(3000)]
    theirs = json.loads(run_driver(DRIVER, json.dumps(cases).encode()).splitlines()[-1])
    answers = [ours(each, monkeypatch) for each in cases]

    assert [] == [each for each in zip(cases, theirs, answers, strict=True) if each[1] != each[2]]
    assert len({str(each) for each in answers}) > 1500
    assert answers.count(None) > 100
