"""`airlock tasks test` and `airlock tasks render`: a try of one task that leaves no record."""

import os
import sqlite3
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """
import os
from airlock.sdk import DAG, Variable, task
from airlock.standard.operators.bash import BashOperator

with DAG("trial", params={"city": "Utrecht"}):

    @task(retries=3)
    def fails():
        raise RuntimeError("as it should")

    @task
    def after(x, params):
        print("ran for", params["city"])
        return params["city"]

    @task.skip_if(lambda context: True)
    @task
    def skipped():
        pass

    after(fails())
    skipped()

    BashOperator(
        task_id="shell",
        bash_command="touch {{ params.city }}; echo {{ ds }} {{ var.value.secret_key }}",
        env={"WHEN": "{{ data_interval_end }}"},
    )
    BashOperator.partial(task_id="mapped", cwd="{{ params.city }}").expand(bash_command=["echo one", "echo {{ ds }}"])
    BashOperator(task_id="undated", bash_command="echo {{ nothing }}")
"""


@pytest.fixture
def airlock(tmp_path):
    (tmp_path / "trial.py").write_text(FILE)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *words], cwd=tmp_path,
            env={**os.environ, "AIRLOCK_HOME": str(tmp_path / "home")},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def rows(folder):
    """How many rows the database has about runs."""
    with sqlite3.connect(folder / "home" / "airlock.db") as conn:
        names = [name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")]
        kept = {"dag_run", "task_instance", "task_instance_history", "xcom", "rendered_fields"}
        assert kept <= set(names)
        return {name: conn.execute(f"select count(*) from {name}").fetchone()[0] for name in kept}


def test_a_task_runs_with_its_params_and_nothing_of_the_run_stays(airlock, tmp_path):
    done = airlock("tasks", "test", "trial.py", "after", "-t", '{"city": "Delft"}')

    assert (0, "") == (done.returncode, done.stderr)
    assert "ran for Delft" in done.stdout
    assert 'state      success  (Succeeded)\nresult     "Delft"' in done.stdout
    assert {0} == set(rows(tmp_path).values())


@pytest.mark.parametrize(("task_id", "code", "state"), [("fails", 1, "up_for_retry"), ("skipped", 0, "skipped")])
def test_the_exit_code_says_whether_it_went_well(airlock, tmp_path, task_id, code, state):
    done = airlock("tasks", "test", "trial.py", task_id)

    assert (code, True) == (done.returncode, f"state      {state}" in done.stdout), done.stdout
    assert {0} == set(rows(tmp_path).values())


def test_fields_are_rendered_for_a_date_and_masked_and_nothing_is_run(airlock, tmp_path):
    airlock("variables", "set", "secret_key", "hunter2hunter2")
    done = airlock("tasks", "render", "trial.py", "shell", "2026-01-31")

    assert (0, "") == (done.returncode, done.stderr)
    assert "# bash_command\ntouch Utrecht; echo 2026-01-31 ***\n\n# env\n" in done.stdout
    assert '{"WHEN":"2026-01-31 00:00:00+00:00"}' in done.stdout
    assert "hunter2" not in done.stdout
    assert [] == list(tmp_path.rglob("Utrecht"))
    assert {0} == set(rows(tmp_path).values())


def test_an_instance_of_a_mapped_task_is_rendered_by_its_index(airlock):
    done = airlock("tasks", "render", "trial.py", "mapped", "2026-01-31", "--map-index", "1")

    assert (0, True, True) == (done.returncode, "echo 2026-01-31" in done.stdout, "Utrecht" in done.stdout), done.stdout


def test_fields_that_cannot_be_rendered_are_an_error_that_names_the_field(airlock, tmp_path):
    done = airlock("tasks", "render", "trial.py", "undated")

    assert (1, True) == (done.returncode, "task 'undated': bash_command: 'nothing' is undefined" in done.stdout)
    assert {0} == set(rows(tmp_path).values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trial.py", "aftr"], "no task 'aftr'; did you mean 'after'?"),
        (["none.py", "after"], "none.py: no such DAG file; there are: trial.py"),
        (["trial.py", "after", "tomorrow"], "'tomorrow' is not a date such as 2026-01-31"),
        (["trial.py", "after", "-t", "[]"], "must be a JSON object"),
        (["trial.py", "after", "--map-index", "-1"], "is not a whole number of at least 0"),
    ],
)
@pytest.mark.parametrize("command", ["test", "render"])
def test_wrong_usage_names_what_is_wrong(airlock, command, words, said):
    done = airlock("tasks", command, *words)

    assert (2, True) == (done.returncode, said in done.stderr), done.stderr
