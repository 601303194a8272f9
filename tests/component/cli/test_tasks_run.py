"""`airlock tasks run` as a person calls it: exit codes, and one clear message for each thing that can be wrong."""

import os
import signal
import subprocess
import sys
import time

import pytest

#: Each of these starts five interpreters and more; together they would be a third of `make unit`.
pytestmark = pytest.mark.slow

GOOD = """
from airlock.sdk import DAG, task, Variable, Connection
from airlock.sdk.exceptions import AirlockSkipException

with DAG("good", params={"name": "world"}):

    @task
    def hello(params, ti, dag_run):
        print("hello", params["name"], ti.map_index, ti.try_number, dag_run.conf)
        return {"name": params["name"]}

    @task(retries=1)
    def fails(ti):
        raise RuntimeError("as it should")

    @task
    def skips():
        raise AirlockSkipException("not today")

    @task
    def reads():
        conn = Connection.get("db")
        print("variable", Variable.get("api_token"), "password", conn.password, conn.host)

    @task
    def hangs():
        import time
        print("hanging")
        time.sleep(60)

    @task(retries=1)
    def keeps(task_state_store, ti, task_state):
        before = task_state_store.get("offset", 0)
        task_state_store.set("offset", before + 41)
        task_state.set("gone", 1)
        task_state.delete("gone")
        if ti.try_number == 1:
            raise RuntimeError("as it should")
        return [before, task_state_store.get("offset"), task_state_store.get("gone", "none")]

    hello(), fails(), skips(), reads(), hangs(), keeps()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    return tmp_path


@pytest.fixture
def airlock(folder):
    def call(*words, **settings):
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")}
        environ |= {f"AIRLOCK__{key.upper()}": str(value) for key, value in settings.items()}
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", *map(str, words)],
            env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return call


def test_a_task_succeeds_and_its_log_result_and_timeline_are_shown(airlock):
    done = airlock("tasks", "run", "good.py", "hello", "--conf", '{"name": "you"}', "--map-index", 3, "--try", 2)

    assert (0, "") == (done.returncode, done.stderr)
    assert "hello you 3 2 {'name': 'you'}" in done.stdout
    assert 'result     {"name":"you"}' in done.stdout
    assert "state      success" in done.stdout
    assert "runner gone" in done.stdout


@pytest.mark.parametrize(("task_id", "code", "state"), [("fails", 75, "up_for_retry"), ("skips", 0, "skipped")])
def test_the_exit_code_says_how_the_try_ended(airlock, task_id, code, state):
    done = airlock("tasks", "run", "good.py", task_id)

    assert (code, True) == (done.returncode, f"state      {state}" in done.stdout)


def test_the_last_try_of_a_task_fails_for_good(airlock):
    done = airlock("tasks", "run", "good.py", "fails", "--try", "2")

    assert 1 == done.returncode
    assert "RuntimeError: as it should" in done.stdout
    assert "good.py:" in done.stdout


def test_a_retry_finds_what_the_try_before_it_kept(airlock):
    first = airlock("tasks", "run", "good.py", "keeps", "--run-id", "r")
    second = airlock("tasks", "run", "good.py", "keeps", "--run-id", "r", "--try", "2")

    assert (75, 0) == (first.returncode, second.returncode), first.stdout + second.stdout
    assert 'result     [41,82,"none"]' in second.stdout


def test_variables_and_connections_reach_the_task_and_are_masked_in_the_log(airlock, folder):
    airlock("variables", "set", "api_token", "tok-1234567")
    airlock("connections", "set", "db", "--type", "postgres", "--host", "example.org", "--password", "hunter2-hunter2")
    done = airlock("tasks", "run", "good.py", "reads")
    logs = "".join(path.read_text() for path in (folder / "home" / "logs").rglob("attempt=*.log"))

    assert (0, True) == (done.returncode, "variable *** password *** example.org" in done.stdout)
    assert "hunter2" not in logs + done.stdout
    assert "tok-1234567" not in logs + done.stdout


BROKEN = {
    "syntax error": ("with DAG(:\n", ["broken.py:1: SyntaxError", "correct this line"]),
    "import that raises": ("x = 1\nraise ValueError('no')\n", ["broken.py:2: ValueError: no", "correct this line"]),
    "missing module": (
        "import nosuchmodule\n",
        ["broken.py:1: ModuleNotFoundError", "nosuchmodule", "add the package"],
    ),
    "no DAG": ("x = 1\n", ["broken.py:1: NoDag", "with DAG("]),
    "import that ends the process": ("import os\nos._exit(7)\n", ["broken.py:1: ImportCrashed", "exited with code 7"]),
    "import that exits": ("import sys\nsys.exit(3)\n", ["broken.py:2: SystemExit", "remove the call"]),
    "variable at import": (
        "from airlock.sdk import Variable\nVariable.get('k')\n",
        ["broken.py:2: VariableNotFound", "create it, or call Variable.get('k', default=...)"],
    ),
    "no such option": (
        "from airlock.sdk import DAG\nDAG('x', schedul=None)\n",
        ["broken.py:2: TypeError", "did you mean", "schedule"],
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_cannot_be_imported_is_one_message_with_file_line_and_fix(airlock, folder, what):
    source, words = BROKEN[what]
    (folder / "broken.py").write_text(source)
    done = airlock("tasks", "run", "broken.py", "t")

    assert 2 == done.returncode
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert [] == [word for word in words if word not in done.stderr], done.stderr


def test_an_import_that_hangs_is_stopped_and_says_how_long_it_had(airlock, folder):
    (folder / "broken.py").write_text("import time\ntime.sleep(60)\n")
    done = airlock("tasks", "run", "broken.py", "t", parse__timeout_seconds=1)

    assert 2 == done.returncode
    assert "broken.py:1: ImportTimeout" in done.stderr
    assert "AIRLOCK__PARSE__TIMEOUT_SECONDS" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch.py", "hello"], "nosuch.py: no such DAG file"),
        (["god.py", "hello"], "did you mean 'good.py'?"),
        (["good.py", "helo"], "did you mean 'hello'?"),
        (["good.py", "hello", "--dag-id", "god"], "did you mean 'good'?"),
        (["good.py", "hello", "--conf", "{"], "not JSON"),
        (["good.py", "hello", "--conf", "[1]"], "must be a JSON object"),
        (["good.py", "hello", "--try", "0"], "at least 1"),
        (["good.py", "hello", "--map-index", "x"], "at least 0"),
    ],
)
def test_wrong_usage_names_what_is_wrong(airlock, words, said):
    done = airlock("tasks", "run", *words)

    assert (2, True) == (done.returncode, said in done.stderr), done.stderr


def test_a_task_in_several_dags_needs_the_dag_named(airlock, folder):
    (folder / "two.py").write_text(GOOD + GOOD.replace('"good"', '"better"'))
    unclear = airlock("tasks", "run", "two.py", "hello")
    clear = airlock("tasks", "run", "two.py", "hello", "--dag-id", "better")

    assert (2, True) == (unclear.returncode, "--dag-id with one of better, good" in unclear.stderr)
    assert 0 == clear.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_ends_the_task_in_order_and_says_so(folder, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "airlock_server", "tasks", "run", "good.py", "hangs"],
        env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    while not (lines and "hanging" in lines[-1]):
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    process.send_signal(number)
    began = time.monotonic()
    rest, _ = process.communicate(timeout=30)

    assert (130, True) == (process.returncode, "Interrupted" in rest)
    assert time.monotonic() - began < 15


def test_frames_are_logged_without_their_values_when_asked(airlock):
    airlock("variables", "set", "api_token", "tok-1234567")
    airlock("connections", "set", "db", "--type", "postgres", "--password", "hunter2-hunter2")
    done = airlock("tasks", "run", "good.py", "reads", logging__frames="1")

    for kind in ("StartupDetails", "GetVariable", "SucceedTask"):
        assert f"type={kind}" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "tok-1234567" not in done.stderr + done.stdout


def test_captured_frames_are_printed_whole(airlock, folder):
    airlock("variables", "set", "api_token", "tok-1234567")
    airlock("connections", "set", "db", "--type", "postgres", "--password", "hunter2-hunter2")
    airlock("tasks", "run", "good.py", "reads", logging__capture_file=folder / "frames")
    shown = airlock("frames", "decode", folder / "frames")

    assert (0, "") == (shown.returncode, shown.stderr)
    for word in ("StartupDetails", "GetVariable", "VariableResult", "tok-1234567", "hunter2-hunter2", "SucceedTask"):
        assert word in shown.stdout
    assert 0o600 == (folder / "frames").stat().st_mode & 0o777


def test_no_process_and_no_folder_is_left_behind(airlock, folder):
    scratch = folder / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "airlock_server", "tasks", "run", "good.py", "hello"],
        env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home"), "TMPDIR": str(scratch)},
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip

    assert 0 == done.returncode
    assert [] == list(scratch.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["airlock_server"],
        ["airlock_server", "tasks"],
        ["airlock_server", "tasks", "run"],
        ["airlock_server", "api-server"],
        ["airlock_server", "variables", "set"],
        ["airlock_server", "connections", "set"],
        ["airlock_server", "frames", "decode"],
        ["airlock_sidecar"],
        ["airlock_runner"],
    ],
)
def test_every_entry_point_explains_itself(words):
    done = subprocess.run([sys.executable, "-m", *words, "--help"], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert "usage" in done.stdout.lower()
