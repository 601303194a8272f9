"""`dag.test()` at the end of a DAG file: one run, by the command, from the author's own process."""

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from airlock.sdk import DAG, Variable, task

with DAG("tested", params={"n": 1}) as dag:

    @task
    def first(params):
        return params["n"] + 1

    @task
    def second(n, ds=None):
        print(f"second got {n} on {ds} and {Variable.get('city', default='nowhere')}")
        if n > 10:
            raise ValueError("too many")

    second(first())

if __name__ == "__main__":
    run = dag.test(CALL)
    print("ended", run.dag_id, run.state, run.logical_date and run.logical_date.year)
"""


@pytest.fixture
def main(tmp_path):
    def start(call, **more):
        (tmp_path / "tested.py").write_text(FILE.replace("CALL", call))
        (tmp_path / "variables.json").write_text('{"city": "Leiden"}')
        environ = {**os.environ, "AIRLOCK_HOME": str(tmp_path / "home"), **more}
        return subprocess.run(
            [sys.executable, "tested.py"], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip

    return start


def test_it_runs_the_dag_with_its_date_and_configuration_and_says_how_it_ended(main):
    done = main("logical_date=datetime(2026, 1, 31, tzinfo=timezone.utc), run_conf={'n': 4}")

    assert (0, "") == (done.returncode, done.stderr)
    assert "second got 5 on 2026-01-31 and nowhere" in done.stdout
    assert "ended tested success 2026" == done.stdout.splitlines()[-1]


def test_variables_come_from_a_file_and_tasks_of_a_pattern_are_not_run(main):
    done = main("None, None, variable_file_path='variables.json', mark_success_pattern='fir.*'")

    assert (0, "") == (done.returncode, done.stderr)
    assert "and Leiden" in done.stdout


def test_a_run_that_fails_is_no_exception(main):
    done = main("run_conf={'n': 40}")

    assert (0, True) == (done.returncode, "ended tested failed" in done.stdout), done.stderr


@pytest.mark.parametrize(
    ("call", "more", "said"),
    [
        ("use_executor=True", {}, "leave use_executor out"),
        ("mark_success_pattern='('", {}, "re.error|PatternError|missing \\)"),
        ("", {"AIRLOCK__LOCAL__GRACE_SECONDS": "soon"}, "DAG 'tested' was not run: the command says why"),
    ],
)
def test_what_cannot_be_run_is_an_error_in_words(main, call, more, said):
    import re

    done = main(call, **more)

    assert (1, True) == (done.returncode, re.search(said, done.stderr) is not None), done.stderr
