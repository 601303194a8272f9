"""`airlock dags test` of a DAG whose timetable is the author's class."""

import re

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

FILE = """
import os, time
from datetime import timedelta
from airflow.sdk import DAG, Variable, task
from airflow.timetables.base import DataInterval, Timetable

class Own(Timetable):
    def __init__(self, how):
        self.how = how

    def serialize(self):
        return {"how": self.how}

    def infer_manual_data_interval(self, *, run_after):
        print("asked")
        if self.how == "raises":
            raise RuntimeError("no luck")
        if self.how == "ends":
            os._exit(3)
        if self.how == "hangs":
            time.sleep(100)
        if self.how == "reads":
            Variable.get("secret")
        return DataInterval(run_after - timedelta(hours=8), run_after)

    def generate_run_id(self, *, run_type, run_after, data_interval, **extra):
        return "scheduled__x" if self.how == "foreign" else f"manual__shift-{data_interval.start:%H}"

for how in ("works", "raises", "ends", "hangs", "reads", "foreign"):
    with DAG(how, schedule=Own(how)):
        @task
        def t(data_interval_start=None, data_interval_end=None, logical_date=None):
            return [f"{each:%dT%H}" for each in (data_interval_start, data_interval_end, logical_date)]
        t()
"""


@pytest.fixture
def run(airlock, tmp_path):
    (tmp_path / "own.py").write_text(FILE)
    return airlock


def test_the_data_interval_and_the_id_of_a_run_are_those_of_the_dags_own_timetable(run):
    done = run("dags", "test", "own.py", "works", "2026-01-02T06:00")

    assert {"t": ["success", "1", '["01T22","02T06","02T06"]']} == table(done.stdout)
    assert (0, "") == (done.returncode, done.stderr)
    assert re.search(r"^DAG run +manual__shift-22$", done.stdout, re.MULTILINE)
    assert "asked" not in done.stdout


def test_one_task_runs_in_the_interval_of_the_dags_own_timetable(run):
    done = run("tasks", "test", "own.py", "t", "2026-01-02T06:00", "--dag-id", "works")

    assert 'result     ["01T22","02T06","02T06"]' in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("dag_id", "error"),
    [
        ("raises", "own.py:17: RuntimeError: no luck"),
        ("ends", "own.py: TimetableCrashed: the process that asked it ended without an answer"),
        ("hangs", "own.py: TimetableTimeout: it took longer than 2 s to answer and was stopped"),
        ("reads", "own.py:23: VariableNotFound: "),
        ("foreign", "its timetable made the run_id 'scheduled__x': begins as the ids of scheduled runs do"),
    ],
)
def test_a_timetable_without_an_answer_is_an_error_in_words_and_no_run_is_made(run, dag_id, error):
    done = run("dags", "test", "own.py", dag_id, "2026-01-02", AIRLOCK__PARSE__TIMEOUT_SECONDS="2")

    assert 2 == done.returncode, done.stdout + done.stderr
    assert error in done.stderr
    # What it printed is shown with an error of its own.
    assert ("asked" in done.stdout) is (dag_id != "foreign")
    assert "DAG run" not in done.stdout
