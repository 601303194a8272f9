"""The examples do what they say: each DAG is run once on this machine, and every task ends in the state named here."""

import ast
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from component.cli.final_table import table

#: Each of these starts many interpreters.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FOLDER = Path(__file__).resolve().parents[3] / "examples"
DATE = "2026-11-30"

#: Of each DAG: the state of each task that does not succeed, and some results.
RUNS = {
    ("airflow_names", "airflow_names"): ({}, {"load": '"3 rows of 2026-11-30"'}),
    ("assets", "assets"): ({}, {"submit": '"job-1"', "load": '"loaded everything since the beginning"'}),
    ("asyncio_tasks", "asyncio_tasks"): ({}, {"total": "285"}),
    ("branching", "branching"): (
        {"one_by_one": "skipped", "announce": "skipped", "check_each_row": "skipped"},
        {"report": '["bulk"]'},
    ),
    ("callbacks", "callbacks"): ({"vanish": "failed"}, {"work": '"worked"', "clean_up": '"cleaned"'}),
    ("deferrable", "deferrable"): ({}, {"count": "3", "report": '"counted to 3"'}),
    ("groups", "groups"): ({}, {"work.transform": "[1,2,3]"}),
    ("hello", "hello"): ({}, {"greet": '"Hello, world! Today is 2026-11-30."'}),
    ("mapping", "mapping"): ({}, {"total": "300", "clean.trim[1]": '"RETURNS.CSV"'}),
    ("own_operators", "own_operators"): ({}, {"one": "12", "several[1]": "7"}),
    ("own_timetable", "own_timetable"): (
        {},
        {"count": '"29 16:00 to 30 00:00 in manual__shift-20261129-16"'},
    ),
    ("processes", "processes"): ({}, {"elsewhere": "2", "apart": "true", "command": '"a command"'}),
    ("retries", "retries"): ({"hopeless": "failed"}, {"shaky": "2", "chosen_by_policy": '"connected"'}),
    ("schedules", "schedules_assets"): ({}, {"report": "0"}),
    ("schedules", "schedules_moments"): ({}, {"greet": '"a happy day"'}),
    ("schedules", "schedules_nightly"): ({}, {}),
    ("schedules", "schedules_often"): ({}, {}),
    ("sensors", "sensors"): ({"never": "skipped"}, {"third_look": "3"}),
    ("templates", "templates"): (
        {},
        {
            "weather": '"UTRECHT on 2026-11-30 celsius"',
            "query": "\"select * from weather where city = 'Utrecht' limit 4\"",
        },
    ),
    ("tour", "tour"): ({"console": "skipped"}, {"price[1]": "70", "report": '"500 euro"'}),
    ("xcoms", "xcoms"): ({}, {"describe": '"00:00:03"', "pull": "6", "invoice": '"25.00"'}),
}


def test_every_example_is_run_here_and_is_in_the_list_of_the_readme():
    files = {path.stem for path in FOLDER.glob("*.py")}
    listed = set(re.findall(r"\]\((\w+)\.py\)", (FOLDER / "README.md").read_text()))

    assert (files, files) == ({file for file, _ in RUNS}, listed)
    assert len(files) >= 12


@pytest.mark.parametrize("file", sorted({file for file, _ in RUNS}))
def test_an_example_says_at_its_top_what_it_shows(file):
    text = ast.get_docstring(ast.parse((FOLDER / f"{file}.py").read_text()))

    assert re.fullmatch(r"[A-Z].*: .*\.", text or "", re.DOTALL), text


@pytest.mark.parametrize(("file", "dag"), RUNS)
def test_every_task_of_an_example_ends_as_it_should(file, dag, tmp_path):
    others, results = RUNS[file, dag]
    done = subprocess.run(
        [sys.executable, "-m", "airlock_server", "dags", "test", str(FOLDER / f"{file}.py"), dag, DATE],
        env={**os.environ, "AIRLOCK_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    rows = table(done.stdout)
    states = {task: row[0] for task, row in rows.items()}
    values = {task: " ".join(row[2:]) for task, row in rows.items()}

    assert 0 == done.returncode, done.stdout + done.stderr
    assert others == {task: state for task, state in states.items() if state != "success"}, done.stdout
    assert results == {task: values[task] for task in results}, done.stdout


def test_the_dag_processor_stores_them_all_with_load_examples(tmp_path):
    more = {"AIRLOCK_HOME": str(tmp_path), "AIRLOCK__CORE__LOAD_EXAMPLES": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "airlock_server", "dag-processor", "-n", "1"],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    with sqlite3.connect(tmp_path / "airlock.db") as conn:
        assert {dag for _, dag in RUNS} == {dag for (dag,) in conn.execute("select dag_id from dag")}
        assert [] == conn.execute("select * from import_error").fetchall()
