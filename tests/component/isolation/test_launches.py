"""
Launches of one machine, as root with a user for each launch: nothing of one outlives it, and none touches another.

The command is run as a person runs it, from an interpreter that any user can enter.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from doubles import launch_users

from airlock_server.launching.local.isolation import LAUNCH_UIDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HEAD = """
import ctypes, json, os, signal, socket, subprocess, sys, threading, time
from airlock.sdk import DAG, task

with DAG("d"):
    @task
    def first(params):
"""


@pytest.fixture
def command(workshop, tmp_path):
    """Starts ``airlock`` with these words in a folder of its own; ``write`` puts a task's body into a DAG file."""

    class Command:
        dags = workshop / "dags"
        home = tmp_path / "home"

        def write(self, body, name="d.py", head=HEAD):
            lines = "\n".join(f"        {line}" for line in body.strip("\n").splitlines())
            file = self.dags / name
            file.write_text(f"{head}{lines}\n    first()\n")
            file.chmod(0o644)
            return file

        def start(self, *words, home=None, **options):
            environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(home or self.home)}
            return subprocess.Popen(
                [workshop / "venv" / "bin" / "python", "-I", "-m", "airlock_server", *words],
                env=environ, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
            )  # fmt: skip

        def run(self, *words, **options):
            process = self.start(*words, **options)
            out, err = process.communicate(timeout=120)
            return process.returncode, out + err

    with launch_users.alone():
        yield Command()


def processes_of_launches():
    """Every process of a launch's user, by its number."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                uid = next(
                    line.split()[1] for line in (entry / "status").read_text().splitlines() if line[:4] == "Uid:"
                )
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except (OSError, StopIteration):
                continue
            if int(uid) in LAUNCH_UIDS and state != "Z":
                found.append(int(entry.name))
    return found


LEFT = {
    "a daemon": "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)",
    "a daemon that ignores signals": (
        "if os.fork() == 0:\n    os.setsid()\n    [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]\n    time.sleep(600)"
    ),
    "another program": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "one that starts itself anew for ever": (
        "if os.fork() == 0:\n    while os.getpid():\n        os.setsid() if os.getsid(0) != os.getpid() else None\n"
        "        if os.fork(): os._exit(0)"
    ),
    "one that a thread started": "threading.Thread(target=lambda: subprocess.Popen(['sleep', '600'])).start()",
    "one that came after the launcher was killed": (
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\n"
        "os.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(5)"
    ),
}


@pytest.mark.parametrize("left", LEFT)
def test_nothing_that_a_task_leaves_behind_outlives_its_launch(command, left):
    code, said = command.run("tasks", "run", str(command.write(LEFT[left])), "first")

    assert code in (0, 1), said
    assert [] == processes_of_launches()


def test_nothing_that_a_file_leaves_behind_outlives_its_parsing(command):
    file = command.write("pass", head=f"import os, time\n{LEFT['a daemon']}\n{HEAD}")
    code, said = command.run("tasks", "run", str(file), "nosuchtask")

    assert (2, True) == (code, "no task 'nosuchtask'" in said), said
    assert [] == processes_of_launches()


def test_what_a_killed_command_left_is_ended_before_its_user_is_used_again(command):
    file = command.write("print('ready', flush=True)\n" + LEFT["a daemon"] + "\ntime.sleep(600)")
    process = command.start("tasks", "run", str(file), "first")
    while "ready" not in process.stdout.readline():
        pass
    process.kill()
    process.wait(10)
    process.stdout.close()
    process.stderr.close()
    before = processes_of_launches()
    command.write("pass")
    code, said = command.run("tasks", "run", str(file), "first")

    assert 0 == code, said
    assert before
    assert [] == [pid for pid in processes_of_launches() if pid in before]


def test_two_launches_at_once_cannot_touch_each_other(command, tmp_path):
    """One is attacked by the other with all that a user may do to processes of its own."""
    paying = command.write(
        "print('uid', os.getuid(), flush=True)\ntime.sleep(6)\nraise RuntimeError('not paid')", "paying.py"
    )
    hunting = command.write(
        """
libc = ctypes.CDLL(None, use_errno=True)
got = {"seen": 0, "taken": []}
until = time.time() + 4
while time.time() < until:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = open(f"/proc/{pid}/status").read()
            uid = int(next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:")))
        except (OSError, StopIteration):
            continue
        if uid == os.getuid() or uid < 50000:
            continue
        got["seen"] += 1
        for number in (signal.SIGKILL, signal.SIGSTOP):
            try:
                os.kill(int(pid), number)
                got["taken"].append(f"signal {number}")
            except OSError:
                pass
        if libc.ptrace(16, int(pid), None, None) == 0:
            got["taken"].append("ptrace")
        for part in ("mem", "environ"):
            try:
                open(f"/proc/{pid}/{part}", "rb").close()
                got["taken"].append(part)
            except OSError:
                pass
        for fd in range(12):
            if libc.syscall(438, os.pidfd_open(int(pid)), fd, 0) >= 0:
                got["taken"].append("descriptor")
    time.sleep(0.2)
return got
""",
        "hunting.py",
    )
    victim = command.start("tasks", "run", str(paying), "first", home=tmp_path / "other")
    while "uid" not in (line := victim.stdout.readline()):
        assert line
    code, said = command.run("tasks", "run", str(hunting), "first")
    out, _ = victim.communicate(timeout=60)
    result = json.loads(next(line for line in said.splitlines() if line.startswith("result")).partition(" ")[2])

    assert (0, []) == (code, result["taken"]), said
    assert result["seen"] > 0
    assert (1, True) == (victim.returncode, "RuntimeError: not paid" in out), out


def test_user_code_gains_no_rights_by_a_program_and_has_no_group_of_ours(command):
    file = command.write(
        "text = open('/proc/self/status').read()\n"
        "return [line for line in text.splitlines() if line.split(':')[0] in ('NoNewPrivs', 'CapEff', 'Groups')]"
    )
    code, said = command.run("tasks", "run", str(file), "first")
    result = json.loads(next(line for line in said.splitlines() if line.startswith("result")).partition(" ")[2])

    assert 0 == code, said
    assert {"NoNewPrivs": "1", "CapEff": "0000000000000000", "Groups": ""} == {
        line.partition(":")[0]: line.partition(":")[2].strip() for line in result
    }


def test_a_dag_id_that_is_a_path_is_refused_by_name_and_makes_no_file(command, tmp_path):
    """The id is set past the SDK's own check, as user code can."""
    target = tmp_path / "made"
    file = command.write("print('ran')")
    text = file.read_text().replace('with DAG("d"):', 'with DAG("d") as d:')
    file.write_text(f'{text}d.dag_id = "x/" + "../" * 20 + "{str(target)[1:]}"\n')
    code, said = command.run("tasks", "run", str(file), "first")

    assert (2, True) == (code, "dag_id" in said and "must be" in said), said
    assert not target.exists()


@pytest.mark.parametrize("where", ["task_id", "dag_id"])
@pytest.mark.parametrize("value", ["a/b", "..", "a\\n", "a\\x1b[2J", "x" * 300, "a b", ""])
def test_no_id_of_a_parse_reaches_the_terminal_or_a_path_unchecked(command, where, value):
    file = command.write("print('ran')")
    text = (
        file.read_text().replace('with DAG("d"):', 'with DAG("d") as d:').replace("    first()\n", "    t = first()\n")
    )
    change = f"d.dag_id = {value!r}" if where == "dag_id" else f"d.tasks[0].task_id = {value!r}"
    file.write_text(f"{text}{change.replace(chr(92) * 2, chr(92))}\n")
    code, said = command.run("tasks", "run", str(file), "first")

    assert (2, True) == (code, f"{where} " in said), said
    assert "\x1b" not in said


PLANT = "import os, sys\nwith open('{mark}', 'a') as f: f.write(__name__ + ' ' + ' '.join(sys.orig_argv) + '\\n')\nraise ImportError('planted')\n"


def test_no_trusted_process_imports_what_lies_around(command, workshop, tmp_path):
    """Modules are planted in the current folder, on PYTHONPATH, in the user's site and as what Python runs at its start."""
    mark = tmp_path / "imported"
    names = ["msgspec", "queue", "jwt", "json", "sqlalchemy", "uvicorn", "airlock_wire", "airlock_sidecar", "ssl", "re"]
    names += ["sitecustomize", "usercustomize", "cryptography", "socket", "signal", "threading", "alembic", "pwd"]
    version = subprocess.run(
        [workshop / "venv/bin/python", "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    folders = [tmp_path / "here", tmp_path / "path", tmp_path / f"user/.local/lib/{version}/site-packages"]
    for folder in folders:
        folder.mkdir(parents=True)
        for name in names:
            (folder / f"{name}.py").write_text(PLANT.format(mark=mark))
    (tmp_path / "startup.py").write_text(PLANT.format(mark=mark))
    (folders[0] / "d.py").write_text(command.write("return 1").read_text())
    airlock = tmp_path / "airlock"
    airlock.write_text(f'#!/bin/sh\nexec "{workshop}/venv/bin/python" -I -m airlock_server "$@"\n')
    airlock.chmod(0o755)
    environ = {
        "PATH": os.environ["PATH"], "AIRLOCK_HOME": str(command.home), "HOME": str(tmp_path / "user"),
        "PYTHONPATH": str(folders[1]), "PYTHONSTARTUP": str(tmp_path / "startup.py"),
    }  # fmt: skip
    for words in (["variables", "list"], ["tasks", "run", "d.py", "nosuchtask"], ["--help"]):
        done = subprocess.run(
            [airlock, *words], env=environ, cwd=folders[0], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode in (0, 2), done.stdout + done.stderr
    imported = mark.read_text().splitlines() if mark.exists() else []

    # The runner is user code's own process, and PYTHONPATH is for it.
    assert [] == [line for line in imported if "airlock_runner" not in line]
