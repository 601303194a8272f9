"""
User code that a scheduler needs looks for credentials: a timetable, the callbacks of a DAG and of a task whose process was
killed, and a listener. What it may not find is the same as for a task, and a key that is left open is found.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from doubles.looking import LOOK, beyond

from airlock_server.launching.local.isolation import LAUNCH_UIDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

PLACES = "\nHOME, SERVER, OUTPUT = {home!r}, {server!r}, {output!r}\n"
WRITE = """
KEPT = os.environ.get("LEAK", "")

def write(mode):
    found = look(HOME, SERVER)
    with open(os.path.join(OUTPUT, f"{mode}-{os.getpid()}.json"), "w") as file:
        json.dump({"mode": mode, "uid": os.getuid(), "found": found}, file)
"""
FILE = """
import signal
from airflow.sdk import DAG, task
from airflow.timetables.base import DataInterval, Timetable

class Looks(Timetable):
    def infer_manual_data_interval(self, *, run_after):
        write("timetable")
        return DataInterval.exact(run_after)

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        return None

    def serialize(self):
        return {}

with DAG("looks", schedule=Looks(), on_failure_callback=lambda context: write("callback of a DAG")):

    @task(on_failure_callback=lambda context: write("callback of a task"))
    def dies():
        os.kill(os.getpid(), signal.SIGKILL)

    dies()
"""
PLUGIN = """
import sys
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

@hookimpl
def on_dag_run_failed(dag_run, msg):
    write("listener")

class Own(AirflowPlugin):
    name = "own"
    listeners = [sys.modules[__name__]]
"""
MODES = {"timetable", "callback of a DAG", "callback of a task", "listener"}


@pytest.fixture
def place(workshop, alone):
    """A bundle, a home, and a folder that any user may write into."""
    folder = Path(tempfile.mkdtemp(prefix="airlock-modes-", dir="/tmp"))
    folder.chmod(0o755)
    for name in ("home", "output", "dags/plugins"):
        (folder / name).mkdir(parents=True)
    (folder / "home").chmod(0o700)
    (folder / "output").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def look(workshop, place):
    """Runs the DAG; returns what each mode found, and as whom."""

    def run(*more):
        code = LOOK + PLACES.format(home=str(place / "home"), server=os.getpid(), output=str(place / "output")) + WRITE
        (place / "dags" / "looks.py").write_text(code + FILE)
        (place / "dags" / "plugins" / "listens.py").write_text(code + PLUGIN)
        python = str(workshop / "venv" / "bin" / "python")
        done = subprocess.run(
            [python, "-m", "airlock_server", "dags", "test", str(place / "dags" / "looks.py"), *more],
            env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(place / "home"), "AIRLOCK__LOCAL__RUNNER_PYTHON": python},
            capture_output=True, text=True, cwd="/", timeout=100, check=False,
        )  # fmt: skip
        assert 1 == done.returncode, done.stdout + done.stderr
        written = [json.loads(path.read_text()) for path in (place / "output").iterdir()]
        return {each["mode"]: each for each in written}

    return run


def test_user_code_of_every_mode_finds_no_credential(look):
    found = look()

    assert MODES == set(found)
    assert {mode: [] for mode in MODES} == {mode: beyond(each["found"]) for mode, each in found.items()}
    assert {each["uid"] for each in found.values()} <= set(LAUNCH_UIDS)


def test_user_code_of_every_mode_finds_what_is_left_open(look, place):
    (place / "home").chmod(0o755)
    token = f"eyJ{'a' * 40}.b.c"

    found = look("--env", f"LEAK={token}")

    assert MODES == set(found)
    open_ = ["a token in memory", "environment LEAK", "home/", "home/logs"]
    assert dict.fromkeys(MODES, open_) == {mode: beyond(each["found"]) for mode, each in found.items()}
