"""Airflow's example of an own timetable, asked by us in a runner and by Airflow in its process: the same answers."""

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor
from airlock_server.launching.local.timetables import TimetableSource, ask
from airlock_wire.protocol.timetables import Interval, ManualRun, NextRun, PlannedRun

DRIVER = Path(__file__).parent / "drivers/own_timetables.py"
DAG_FILE = "example_workday_timetable.py"
#: A Friday, a Sunday and a Monday, far from holidays: the example looks for them where pandas is installed.
MOMENTS = [f"2026-02-{day}T{hour}:30:00+00:00" for day in ("06", "08", "09") for hour in ("00", "12")]
FRIDAY = ["2026-02-06T00:00:00+00:00", "2026-02-07T00:00:00+00:00"]


def planned(last=None, earliest=None, latest=None, catchup=True):
    return {"last": last, "earliest": earliest, "latest": latest, "catchup": catchup}


QUESTIONS = [
    *({"manual": each} for each in MOMENTS),
    *(planned(earliest=each) for each in MOMENTS),
    planned(),
    planned(FRIDAY, earliest=MOMENTS[0]),
    planned(FRIDAY, latest="2026-02-08T00:00:00+00:00"),
    planned(FRIDAY, latest="2026-02-09T00:00:00+00:00"),
    planned(earliest="2040-02-06T00:00:00+00:00", catchup=False),
]


def moment(text):
    return None if text is None else datetime.fromisoformat(text)


def question(each):
    if "manual" in each:
        return ManualRun(run_after=moment(each["manual"]))
    last = each["last"]
    run = last and PlannedRun(run_after=moment(last[1]), interval=Interval(start=moment(last[0]), end=moment(last[1])))
    return NextRun(last=run, earliest=moment(each["earliest"]), latest=moment(each["latest"]), catchup=each["catchup"])


def text(answer):
    assert "" == answer.error
    run = answer.run
    return run and [*(each.isoformat() for each in (run.run_after, run.interval.start, run.interval.end)), run.run_id]


@pytest.fixture(scope="module")
def ours(airflow_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workday")
    examples = next(airflow_python.parent.parent.glob("lib/python3*/site-packages/airflow/example_dags"))
    shutil.copytree(examples, folder / "path/airflow/example_dags")
    (folder / "bundle").mkdir()
    shutil.copy(examples / DAG_FILE, folder / "bundle")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "path"), "AIRLOCK_HOME": str(folder / "home")}
    with Installation(environ) as installation:
        executor = Executor(installation, folder / "bundle", environ, lambda _: None)
        source = TimetableSource(bundle="b", file=DAG_FILE, dag_id="example_workday_timetable", seconds=60)
        return list(map(text, ask(executor, source, list(map(question, QUESTIONS)))))


def test_a_timetable_gives_the_same_runs_intervals_and_ids(ours, run_driver):
    theirs = json.loads(run_driver(DRIVER, json.dumps(QUESTIONS).encode()).splitlines()[-1])

    assert dict(zip(map(str, QUESTIONS), theirs, strict=True)) == dict(zip(map(str, QUESTIONS), ours, strict=True))
    assert 2 <= ours.count(None) < len(ours)
