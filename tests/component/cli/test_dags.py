"""`airlock dags` as a person calls it: exit codes, what is shown, and one clear message for each thing that is wrong."""

import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

FLOW = """
from datetime import timedelta
from airlock.sdk import DAG, Param, task
from airlock.sdk.exceptions import AirlockSkipException

with DAG("flow", params={"n": 3}):

    @task
    def a(params, dag_run):
        print("hello from a", params, dag_run.run_id)
        return {"n": params["n"]}

    @task(retries=1, retry_delay=timedelta(seconds=0.1))
    def b(x, ti):
        if ti.try_number == 1:
            raise RuntimeError("the first try")
        return x["n"] + 1

    @task
    def c(x):
        raise AirlockSkipException("not today")

    @task
    def d(): ...

    first = a()
    b(first)
    c(first) >> d()

with DAG("fails"):

    @task
    def breaks():
        raise RuntimeError("as it should")

    @task
    def after(): ...

    breaks() >> after()

with DAG("needy", params={"who": Param(type="string")}):

    @task
    def greet(): ...

    greet()

with DAG("hangs"):

    @task
    def hangs():
        import time
        print("hanging")
        time.sleep(60)

    hangs()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path):
    (tmp_path / "flow.py").write_text(FLOW)
    return tmp_path


def environ(folder):
    return {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")}


TRIGGERS = """
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

with DAG("other"): ...
with DAG("caller"):
    made = TriggerDagRunOperator(task_id="made", trigger_dag_id="other", trigger_run_id="one")
    again = TriggerDagRunOperator(
        task_id="again", trigger_dag_id="other", trigger_run_id="one", skip_when_already_exists=True
    )
    made >> again
"""


def test_a_task_may_trigger_another_dag_of_its_file(airlock, folder):
    (folder / "triggers.py").write_text(TRIGGERS)
    done = airlock("dags", "test", "triggers.py", "caller")

    assert {"made": ["success", "1"], "again": ["skipped", "1"]} == table(done.stdout), done.stdout + done.stderr


def test_a_whole_dag_runs_and_every_task_is_in_the_table(airlock, folder):
    done = airlock("dags", "test", "flow.py", "flow", "--conf", '{"n": 5}')

    assert (0, "") == (done.returncode, done.stderr)
    assert {
        "a": ["success", "1", '{"n":5}'],
        "b": ["success", "2", "6"],
        "c": ["skipped", "1"],
        "d": ["skipped", "0"],
    } == table(done.stdout)
    assert "state      success" in done.stdout
    assert re.search(r"a: .* task\.stdout +\| hello from a \{'n': 5\} manual__", done.stdout)
    [log] = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("log") and "task_id=a" in line]
    assert "hello from a" in (folder / log).read_text()


def test_a_file_of_the_folder_of_dag_files_imports_from_that_folder(airlock, folder):
    team = folder / "home/dags/team"
    team.mkdir(parents=True)
    (team.parent / "shared.py").write_text("NAME = 'shared'\n")
    (team / "own.py").write_text(
        "from airlock.sdk import DAG, task\nfrom shared import NAME\nwith DAG('own'):\n"
        "    @task(on_success_callback=lambda context: print('called'))\n    def t(): return NAME\n    t()\n"
    )

    for words in (("dags", "test"), ("tasks", "test"), ("tasks", "run")):
        done = airlock(*words, "home/dags/team/own.py", *([] if words == ("dags", "test") else ["t"]))

        assert 0 == done.returncode, done.stdout + done.stderr
        assert "called" in done.stdout


def test_a_failed_run_is_exit_code_1(airlock):
    done = airlock("dags", "test", "flow.py", "fails")

    assert 1 == done.returncode
    assert {"breaks": ["failed", "1"], "after": ["upstream_failed", "0"]} == table(done.stdout)
    assert "state      failed  (task_failure)" in done.stdout


def test_a_date_and_a_pattern_make_a_run_of_that_date_in_which_tasks_are_not_run(airlock):
    done = airlock("dags", "test", "flow.py", "fails", "2026-01-31", "--mark-success-pattern", "brea.*")

    assert (0, "") == (done.returncode, done.stderr)
    assert {"breaks": ["success", "1"], "after": ["success", "1"]} == table(done.stdout)
    assert "DAG run    manual__2026-01-31T00:00:00+00:00" in done.stdout


DATED = """
from airlock.sdk import DAG, CronDataIntervalTimetable, task

with DAG("dated", schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC")):

    @task
    def span(data_interval_start, data_interval_end):
        return [data_interval_start.isoformat()[:10], data_interval_end.isoformat()[:10]]

    span()
"""


def test_a_run_of_a_date_is_about_the_interval_before_it_and_one_without_is_of_this_moment(airlock, folder):
    (folder / "dated.py").write_text(DATED)
    dated = airlock("dags", "test", "dated.py", "dated", "2026-01-31")
    undated = airlock("dags", "test", "dated.py")

    assert ["success", "1", '["2026-01-30","2026-01-31"]'] == table(dated.stdout)["span"]
    [today] = re.findall(r"^DAG run +manual__(.{10})", undated.stdout, re.MULTILINE)
    assert f'"{today}"]' in table(undated.stdout)["span"][2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["flow.py"], "it has several DAGs; name one of fails, flow, hangs, needy"),
        (["flow.py", "flwo"], "no DAG 'flwo'; did you mean 'flow'?"),
        (["flow.py", "flow", "yesterday"], "'yesterday' is not a date such as 2026-01-31"),
        (["flow.py", "flow", "--mark-success-pattern", "("], "'(' is not a regular expression"),
        (["flow.py", "flow", "--conf", "[]"], "must be a JSON object"),
        (["flow.py", "needy"], "DAG 'needy': the param 'who' has no default, so the run must give it"),
        (["flow.py", "needy", "--conf", '{"who": 3}'], "the param 'who' cannot be 3: 3 is not of type 'string'"),
        (["nothing.py"], "no such DAG file; there are: flow.py"),
        (["broken.py"], "broken.py:1: SyntaxError"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_names_the_fix(airlock, folder, words, message):
    if words == ["broken.py"]:
        (folder / "broken.py").write_text("x = (\n")
    done = airlock("dags", "test", *words)

    assert 2 == done.returncode
    assert message in done.stderr


def test_a_signal_stops_the_run_and_its_task(folder):
    command = [sys.executable, "-m", "airlock_server", "dags", "test", "flow.py", "hangs"]
    process = subprocess.Popen(command, env=environ(folder), cwd=folder, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "hanging" in line:
            break
    process.send_signal(signal.SIGINT)

    output, _ = process.communicate(timeout=60)
    assert 130 == process.returncode
    assert "state      stopped" in output


def test_a_terminal_shows_the_run_as_a_tree_that_is_drawn_again(folder):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        command = [sys.executable, "-m", "airlock_server", "dags", "test", "flow.py", "flow"]
        os.execve(sys.executable, command, environ(folder) | {"TERM": "xterm"})
    output, ends = b"", time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    _, status = os.waitpid(pid, 0)

    assert 0 == os.waitstatus_to_exitcode(status)
    assert b"\x1b[4F\x1b[J" in output
    assert b"hello from a" not in output
    assert b"state      success" in output


def test_the_import_errors_of_a_folder_are_listed(airlock, folder):
    (folder / "sub").mkdir()
    (folder / "sub/bad.py").write_text("import nopackage, airlock  # dag\n")
    (folder / "notes.py").write_text("1 / 0\n")
    (folder / "helper.py").write_text("x = 1\n")

    done = airlock("dags", "list-import-errors", ".")
    assert 1 == done.returncode
    assert "sub/bad.py:1: ModuleNotFoundError: No module named 'nopackage'" in done.stdout
    assert "2 files, 1 of them with import errors" in done.stdout

    (folder / "sub/bad.py").unlink()
    assert 0 == airlock("dags", "list-import-errors", ".").returncode
    assert 2 == airlock("dags", "list-import-errors", "nowhere").returncode


MAPPED = """
from airlock.sdk import DAG, task

with DAG("mapped"):

    @task
    def branch(ti):
        ti.xcom_push(key="skipmixin_key", value={"followed": ["each"]})

    @task
    def each(ti):
        print("index", ti.map_index)
        return ti.map_index

    @task
    def other(): ...

    branch() >> [each(), other()]
"""

#: A DAG that the file's SDK does not write: the same tasks, one mapped over three values and one a branch.
BY_HAND = """
import os, sys
from pathlib import Path
import msgspec
from airlock_server.api.serve import EmbeddedServer
from airlock_server.installation import Installation
from airlock_server.launching.local.dag_run import DagRunner
from airlock_server.launching.local.executor import Executor
from airlock_server.launching.local.triggers import LocalTriggers
from airlock_server.store.engine.types import now
from airlock_server.store.runs.progress import NewRun
from airlock_wire.dags.mapping import Argument, Expansion, Literally

with Installation(os.environ) as installation:
    executor = Executor(installation, Path.cwd(), os.environ, lambda _: None)
    [dag] = executor.parse("mapped.py").dags
    expansion = Expansion(arguments=[Argument(name="x", source=Literally(length=3))])
    fields = {"branch": {"can_skip": True}, "each": {"expansion": expansion}, "other": {}}
    dag = msgspec.structs.replace(dag, tasks=[msgspec.structs.replace(task, **fields[task.task_id]) for task in dag.tasks])
    with EmbeddedServer(installation.database, installation.tokens, installation.encryption) as server:
        executor.serve_at(server.url)
        runner = DagRunner(installation, executor, dag, "mapped.py", triggers=LocalTriggers(installation, executor), show=lambda _: None)
        result = runner.run(NewRun(dag_id="mapped", run_id="r", run_after=now()))
    for row in sorted(result.rows, key=lambda row: row.instance.key):
        print(*row.instance.key, row.instance.state.value)
"""


def test_a_dag_with_mapping_and_a_branch_runs_in_processes_of_its_own(folder):
    (folder / "mapped.py").write_text(MAPPED)
    done = subprocess.run(
        [sys.executable, "-c", BY_HAND], env=environ(folder), cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    assert [
        "branch -1 success",
        "each 0 success",
        "each 1 success",
        "each 2 success",
        "other -1 skipped",
    ] == done.stdout.splitlines()
