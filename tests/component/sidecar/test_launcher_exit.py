"""The launcher's exit code, which a pod keeps as its own when its operator was away: Succeeded for 0, else Failed."""

import threading
import time

import pytest
from doubles.api import Answer

from airlock_wire import pod
from airlock_wire.record import Reason

WAITS = "print('ready', flush=True)\ntime.sleep(60)"
RETURNS_WHEN_TOLD = """
try:
    print('ready', flush=True)
    time.sleep(60)
except BaseException:
    return 'done'
"""
HOLDS_OUT = """
try:
    print('ready', flush=True)
    time.sleep(60)
finally:
    time.sleep(60)
"""


def until_printed(sidecar, text, seconds=60):
    ends = time.monotonic() + seconds
    while text not in (sidecar.log_path.read_text() if sidecar.log_path.exists() else ""):
        assert time.monotonic() < ends, f"{text!r} was not printed"
        time.sleep(0.02)


@pytest.mark.parametrize("body", [WAITS, RETURNS_WHEN_TOLD])
def test_a_task_that_ends_by_sigterm_ends_its_launcher_with_143(sidecar, make_runner, body):
    runner = make_runner(sidecar, body)
    until_printed(sidecar, "ready")
    runner.terminate()

    assert pod.EXIT_STOPPED == runner.wait()
    assert Reason.INTERRUPTED == sidecar.end().reason


def test_a_task_that_had_to_be_killed_after_sigterm_ends_its_launcher_with_143(sidecar, make_runner):
    runner = make_runner(sidecar, HOLDS_OUT, grace_seconds=11)
    until_printed(sidecar, "ready")
    runner.terminate()

    assert 143 == runner.wait()
    assert (Reason.INTERRUPTED, 9) == ((record := sidecar.end()).reason, record.exit.signal)


def test_a_task_that_had_reported_success_before_sigterm_ends_its_launcher_with_0(api, sidecar, make_runner):
    taken, go_on = threading.Event(), threading.Event()

    def state(_):
        taken.set()
        go_on.wait(20)
        return Answer(204)

    api.answers["/state"] = state
    runner = make_runner(sidecar, "pass")
    assert taken.wait(60)
    runner.terminate()
    time.sleep(0.3)
    go_on.set()

    assert 0 == runner.wait()
    assert (Reason.SUCCEEDED, True) == ((record := sidecar.end()).reason, record.acknowledged)


def test_a_sigterm_survives_the_restart_of_the_sidecar(sidecar, make_runner):
    runner = make_runner(sidecar, HOLDS_OUT, grace_seconds=12)
    until_printed(sidecar, "ready")
    runner.terminate()
    time.sleep(0.3)
    sidecar.kill()
    sidecar.start()

    assert 143 == runner.wait()
    assert Reason.INTERRUPTED == sidecar.end().reason


@pytest.mark.parametrize(("body", "reason"), [("pass", Reason.SUCCEEDED), ("raise ValueError", Reason.FAILED)])
def test_a_task_that_ends_by_itself_ends_its_launcher_with_0(sidecar, make_runner, body, reason):
    runner = make_runner(sidecar, body)

    assert 0 == runner.wait()
    assert reason == sidecar.end().reason
