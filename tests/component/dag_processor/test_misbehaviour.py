"""What an import does to itself it does to nobody else: other files' DAGs are right, whatever it does."""

import json
import os
import re
import subprocess

import pytest
from doubles.looking import LOOK, beyond

pytestmark = pytest.mark.slow

GOOD = [f"good{n}" for n in range(4)]
HEAD = "import os, signal, subprocess, sys, threading, time\nfrom airlock.sdk import DAG\n"
TAIL = "\nwith DAG('bad'): ...\n"

#: What a file does at its top, and the start of its import error; empty: it gives its DAG all the same.
IMPORTS = {
    "forks, and both go on": ("os.fork()", ""),
    "forks a daemon": ("if os.fork() == 0:\n    os.setsid()\n    time.sleep(600)", ""),
    "forks without an end": (
        "try:\n    while True:\n        if os.fork() == 0: time.sleep(600)\nexcept OSError: pass", ""
    ),
    "starts a program": ("subprocess.Popen(['sleep', '600'], start_new_session=True)", ""),
    "starts a thread": ("threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", ""),
    "hangs": ("time.sleep(600)", "ImportTimeout"),
    "hangs and ignores signals": (
        "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]\nwhile True: pass", "ImportTimeout"
    ),
    "prints a lot": ("for _ in range(2000): print('x' * 1000)", ""),
    "prints bytes that are no text": ("os.write(1, bytes(range(256)) * 100)", ""),
    "closes every descriptor": ("os.closerange(0, 1000)", "ImportCrashed"),
    "exits": ("sys.exit(0)", "bad.py:3: SystemExit"),
    "exits at once": ("os._exit(0)", "ImportCrashed"),
    "kills itself": ("os.kill(os.getpid(), 9)", "ImportCrashed"),
    "kills its launcher": ("os.kill(os.getppid(), 9); time.sleep(5)", "ImportCrashed"),
    "crashes the interpreter": ("import ctypes; ctypes.string_at(0)", "ImportCrashed"),
    "eats memory": ("x = []\nwhile True: x.append(bytearray(16 * 1024 * 1024))", "bad.py:4: MemoryError"),
    "goes without an end into itself": ("def f(): f()\nf()", "bad.py:3: RecursionError"),
    "changes the SDK": ("DAG.__init__ = None\nimport airlock.sdk\nairlock.sdk.task = None\nclass DAG(DAG): pass", "bad.py:"),
    "raises an error of its own that cannot be written": (
        "class E(BaseException):\n    def __str__(self): raise E\nraise E", "ImportCrashed"
    ),
    "stops its group": ("os.killpg(0, signal.SIGSTOP)", "ImportTimeout"),
}  # fmt: skip


def other_dags_are_right(processing):
    return set(GOOD) <= set(processing.dags()) and not set(processing.errors()) & {f"{name}.py" for name in GOOD}


@pytest.mark.parametrize("bad", IMPORTS)
def test_an_import_hurts_nobody_elses(processing, bad):
    code, expected = IMPORTS[bad]
    processing.write(HEAD + code + TAIL, "bad.py")
    for name in GOOD:
        processing.dag(name)

    # Each file twice, so that the good ones meet what the bad one may have left.
    processing.run(
        "-n", "2", parse__timeout_seconds=3, dag_processor__min_file_process_interval=0.1,
        dag_processor__parsing_memory_mib=512,
    )  # fmt: skip

    assert other_dags_are_right(processing), (processing.dags(), processing.errors())
    errors = processing.errors()
    if expected:
        assert expected in errors["bad.py"]
        assert "bad" not in processing.dags()
    else:
        assert {} == errors
        assert "bad" in processing.dags()
    assert [] == of_the_bundle(processing)


def of_the_bundle(processing):
    """The processes that came from this bundle's parses and still run."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(processing.python) in line or str(processing.bundle) in line]


def test_a_file_that_takes_too_long_in_all_is_ended_and_what_was_known_of_it_stays(processing):
    processing.dag("d")
    processing.run()
    processing.write(HEAD + "time.sleep(600)" + TAIL, "d.py")

    processing.run(dag_processor__dag_file_processor_timeout=1)

    assert ({"d": "d.py"}, {}) == (processing.dags(), processing.errors())
    assert "took too long" in processing.output.read_text()


def test_a_file_that_deletes_what_it_can_deletes_no_neighbour_where_it_has_a_user_of_its_own(processing):
    if os.getuid() != 0:
        pytest.skip("only root can give a parse a user of its own")
    code = """
removed = []
for folder, _, names in os.walk(os.path.dirname(__file__)):
    for name in names:
        try:
            os.unlink(os.path.join(folder, name))
            removed.append(name)
        except OSError:
            pass
print("removed", removed, "as", os.getuid())
"""
    processing.write(HEAD + code + TAIL, "bad.py")
    for name in GOOD:
        processing.dag(name)

    processing.run("-n", "2", dag_processor__min_file_process_interval=0.1)

    assert other_dags_are_right(processing)
    assert "removed [] as 502" in processing.log_of("bad.py")
    assert "not isolated" not in processing.output.read_text()


def test_parses_at_the_same_time_have_different_users(processing):
    if os.getuid() != 0:
        pytest.skip("only root can give a parse a user of its own")
    for name in ("a.py", "b.py"):
        processing.write(f"{HEAD}print('user', os.getuid())\ntime.sleep(2){TAIL}".replace("bad", name[0]), name)

    processing.run(dag_processor__parsing_processes=2)

    users = {re.search(r"user (502\d\d)", processing.log_of(name))[1] for name in ("a.py", "b.py")}
    assert 2 == len(users)


def test_without_a_user_of_its_own_a_parse_can_and_the_processor_says_so(processing):
    processing.dag("d")

    processing.run(local__runner_uid=os.getuid())

    assert {"d": "d.py"} == processing.dags()
    words = processing.output.read_text()
    assert "a bundle's code is not isolated" in words
    assert f"user code runs as user {os.getuid()}" in words


SEARCH = f"""
{LOOK}
from airlock.sdk import DAG
print("FOUND", json.dumps(look(HOME, SERVER)))
with DAG("search"): ...
"""


@pytest.mark.parametrize("plant", ["", "a database that anyone may read"])
def test_a_parse_finds_no_token_no_key_and_no_database_and_the_search_finds_what_is_planted(processing, plant):
    if os.getuid() != 0:
        pytest.skip("only root can give a parse a user of its own")
    processing.dag("first")
    processing.run()
    planted = {}
    if plant:
        processing.home.chmod(0o755)
        (processing.home / "airlock.db").chmod(0o644)
        planted = {"home/airlock.db", "home/logs", "home/"}
    processing.write(
        SEARCH.replace("HOME", repr(str(processing.home))).replace("SERVER", str(os.getpid())), "search.py"
    )

    processing.run()

    [line] = [line for line in processing.log_of("search.py").splitlines() if "FOUND" in line]
    findings = json.loads(json.loads(line)["event"].removeprefix("FOUND "))
    assert set(planted) == set(beyond(findings))
    assert {} == processing.errors()
