"""Tasks that would hang or mislead `airlock tasks run`: it always ends, and its exit code is the task's."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

DAG = """
import json, logging, os, signal, time
from airlock.sdk import DAG, exceptions, task

gone = []

with DAG("d"):
    @task{options}
    def t():
{body}
    t()
"""


@pytest.fixture
def start(tmp_path):
    def start(body, *words, options="", grace=5, **popen):
        lines = "\n".join(f"        {line}" for line in body.strip("\n").splitlines())
        (tmp_path / "d.py").write_text(DAG.format(options=options, body=lines))
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(tmp_path / "home")}
        environ |= {"AIRLOCK__LOCAL__GRACE_SECONDS": str(grace)} | popen.pop("environ", {})
        popen = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | popen
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "airlock_server", "tasks", "run", "d.py", "t", *words],
            env=environ, cwd=tmp_path, **popen,
        )  # fmt: skip

    return start


def until(process, words):
    while words not in (line := process.stdout.readline()):
        assert line, process.stderr.read()


ODD = {
    "an exception that is text": {"exception": "boom"},
    "frames that are text": {"exception": [{"frames": ["boom"]}]},
    "frames that are a number": {"exception": [{"frames": 5}]},
    "notes and members that are text": {"exception": [{"exc_notes": "x", "exceptions": "y", "is_group": True}]},
    "a chain of itself": {"exception": [[[[["deep"]]]]]},
    "an event that is a map": {"event": {"a": [1]}},
    "a level and a logger that are maps": {"level": {"a": 1}, "logger": {"b": 2}, "timestamp": {"c": 3}},
    "ids of others": {"dag_id": ["x"], "ti_id": {}, "map_index": "y"},
}


@pytest.mark.parametrize("record", ODD.values(), ids=ODD)
def test_no_record_ends_who_reads_them(start, record):
    """More follows than a pipe holds, so a reader that had died would hold up the task for ever."""
    process = start(
        f"fd = int(next(n for n in os.listdir('/proc/self/fd') if os.readlink(f'/proc/self/fd/{{n}}').startswith('pipe:')"
        f" and int(n) > 2))\nos.write(fd, json.dumps({record!r}).encode() + b'\\n')\n"
        "for _ in range(3000): print('filler ' * 12)"
    )
    out, err = process.communicate(timeout=60)

    assert (0, True) == (process.returncode, "state      success" in out), err
    assert 3000 == out.count("filler " * 12)


STOPPED = {
    "by SIGSTOP": "os.kill(os.getppid(), signal.SIGSTOP)",
    "again and again": "for _ in range(100):\n    os.kill(os.getppid(), signal.SIGSTOP)\n    time.sleep(0.01)",
}


@pytest.mark.parametrize("body", STOPPED.values(), ids=STOPPED)
def test_a_launcher_that_user_code_stops_holds_nobody_up(start, body):
    process = start(body)
    out, err = process.communicate(timeout=90)

    assert (0, True) == (process.returncode, "state      success" in out), out + err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "body",
    [
        "print('ready', flush=True)\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(60)",
        "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]\nprint('ready', flush=True)\ntime.sleep(60)",
    ],
    ids=["the launcher is stopped", "signals are ignored"],
)
def test_a_signal_ends_the_command_within_its_grace_period(start, body, number):
    process = start(body, grace=3)
    until(process, "ready")
    process.send_signal(number)
    out, err = process.communicate(timeout=40)

    assert (130, True) == (process.returncode, "state      failed" in out), out + err


def test_a_second_signal_ends_it_at_once(start):
    process = start("signal.signal(15, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(600)", grace=300)
    until(process, "ready")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=40)

    assert (130, True) == (process.returncode, "state      failed" in out), out + err


ON_KILL = "(on_kill=lambda: gone.append(1))"
ANSWERS = {
    "returns": "return 'done'",
    "exits": "raise SystemExit(0)",
    "skips": "raise exceptions.AirlockSkipException('x')",
    "fails": "raise ValueError('x')",
    "leaves a process that works on": "import multiprocessing; multiprocessing.Process(target=time.sleep, args=[1]).start()",
}
WAITS = {
    "on_kill ends the wait": (ON_KILL, "while not gone: time.sleep(0.05)"),
    "the stop is swallowed": ("", "try: time.sleep(60)\nexcept BaseException: pass"),
    "the signal is ignored": ("", "signal.signal(15, signal.SIG_IGN)\ntime.sleep(2)"),
}


@pytest.mark.parametrize(
    ("wait", "answer"),
    # Each way of waiting, and each answer; the whole table is the sidecar's (test_judging).
    [
        *((wait, ANSWERS["returns"]) for wait in WAITS.values()),
        *((WAITS["on_kill ends the wait"], answer) for answer in ANSWERS.values()),
    ],
)
def test_a_task_that_was_told_to_stop_is_no_success_whatever_it_answers(start, wait, answer):
    options, body = wait
    process = start(f"print('ready', flush=True)\n{body}\n{answer}", options=options)
    until(process, "ready")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=40)

    assert (130, True) == (process.returncode, "state      failed" in out), out + err


@pytest.mark.soak
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGTERM twice", "execution_timeout"])
def test_no_way_of_stopping_a_task_and_no_answer_of_it_make_a_success(start, how, wait, answer):
    options, body = wait
    if how == "execution_timeout":
        options = options.replace("(", "(execution_timeout=1, ", 1) or "(execution_timeout=1)"
    process = start(f"print('ready', flush=True)\n{body}\n{answer}", options=options)
    until(process, "ready")
    for word in how.split():
        if word.startswith("SIG"):
            process.send_signal(signal.Signals[word])
        elif word == "twice":
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert (1 if how == "execution_timeout" else 130, True) == (process.returncode, "state      failed" in out), (
        out + err
    )


@pytest.mark.parametrize("answer", [ANSWERS["returns"], ANSWERS["skips"]], ids=["returns", "skips"])
@pytest.mark.parametrize(
    "wait", [WAITS["on_kill ends the wait"], WAITS["the stop is swallowed"]], ids=["on_kill", "swallowed"]
)
def test_a_task_that_took_too_long_is_no_success_whatever_it_answers(start, wait, answer):
    options, body = wait
    options = options.replace("(", "(execution_timeout=1, ", 1) or "(execution_timeout=1)"
    process = start(f"{body}\n{answer}", options=options)
    out, err = process.communicate(timeout=40)

    assert (1, True) == (process.returncode, "state      failed" in out), out + err
    assert "execution_timeout of 1 s" in out


OUTPUTS = {
    "closed": ">&-",
    "full": ">/dev/full",
    "nobody reads": "| sleep 0.1",
    "both closed": ">&- 2>&-",
}


@pytest.mark.parametrize("where", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize(
    ("body", "code"), [("for _ in range(5000): print('x' * 50)", 0), ("raise ValueError('no')", 1)]
)
def test_an_output_that_takes_nothing_changes_no_exit_code(start, tmp_path, where, body, code):
    process = start(body)
    words, environ = process.args, {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(tmp_path / "home")}
    process.communicate(timeout=60)
    line = " ".join(map(str, words))
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {{ {line}; echo $? >{tmp_path}/code; }} {where}"],
        env=environ, cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )  # fmt: skip

    assert str(code) == (tmp_path / "code").read_text().strip(), done.stderr


def test_a_reader_that_takes_nothing_holds_up_no_task(start):
    read, write = os.pipe()
    process = start("for _ in range(20000): print('x' * 50)", stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    code = process.wait(90)
    os.close(read)

    assert 0 == code


def test_a_variable_of_the_environment_reaches_the_task_by_name_alone(start):
    body = "return [os.environ.get(name) for name in ('MINE', 'GIVEN', 'OTHER')]"
    process = start(body, "--env", "MINE", "--env", "GIVEN=1=2", environ={"MINE": "m", "OTHER": "o"})
    out, err = process.communicate(timeout=60)

    assert (0, True) == (process.returncode, 'result     ["m","1=2",null]' in out), out + err


@pytest.mark.parametrize("word", ["NOT_SET_HERE", "AIRLOCK__X__Y=1", "a b=1", "=x"])
def test_a_variable_that_cannot_be_given_is_refused_by_name(start, word):
    process = start("return 1", "--env", word)
    _, err = process.communicate(timeout=60)

    assert (2, True) == (process.returncode, f"--env {word.partition('=')[0]}" in err), err


def test_what_a_file_prints_at_its_top_is_shown_once(start, tmp_path):
    process = start("return 1")
    process.communicate(timeout=60)
    (tmp_path / "d.py").write_text("print('at the top')\n" + (tmp_path / "d.py").read_text())
    done = subprocess.run(
        process.args, env={"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(tmp_path / "home")}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (0, 1) == (done.returncode, done.stdout.count("at the top")), done.stdout


def test_the_members_and_notes_of_a_group_of_errors_are_shown(start):
    process = start(
        "e = KeyError('inner')\ne.add_note('look here')\nraise ExceptionGroup('several', [ValueError('one'), e])"
    )
    out, _ = process.communicate(timeout=60)

    assert [] == [
        word
        for word in ("ExceptionGroup: several", "ValueError: one", "KeyError: 'inner'", "look here")
        if word not in out
    ]


def test_a_task_that_closes_descriptors_that_are_not_its_own_is_told_so(start):
    process = start("os.closerange(3, 65536)")
    out, _ = process.communicate(timeout=60)

    assert 1 == process.returncode
    assert "closed" in out
    assert "os.closerange" in out
