"""
A sidecar that is killed while Airflow's own runner runs, which cannot go on with another: nobody blames the task.
"""

import threading
import time

import pytest
from doubles.api import Answer

from airlock_wire import pod as shared
from airlock_wire.record import Reason

pytestmark = pytest.mark.slow


def come_back(pod):
    """The kubelet starts the killed container again."""
    time.sleep(0.2)
    pod.sidecar.start()
    return pod.end()


def test_the_runner_is_stopped_and_the_launch_is_left_to_its_owner(pod, api):
    pod.start("polite").wait_for("it began")
    pod.sidecar.kill()
    ended = come_back(pod)

    assert (shared.EXIT_SIDECAR_LOST, Reason.VANISHED, None, None) == (
        ended.code,
        ended.record.reason,
        ended.record.exit,
        ended.record.state,
    ), ended.text()
    assert [] == api.states()
    assert "it is stopped" in ended.stderr


def test_the_task_is_told_first_and_its_last_output_is_kept(pod):
    pod.start("polite").wait_for("it began")
    pod.sidecar.kill()

    assert ["it began", "on_kill was called"] == come_back(pod).events("task.stdout")


def test_a_runner_that_fails_because_the_sidecar_is_gone_is_not_taken_for_crashed(pod, api, tmp_path):
    """Its next request finds a dead socket: Airflow's runner fails the task, cannot say so, and exits with 1."""
    go_on = tmp_path / "go on"
    pod.env["GO_ON_FILE"] = str(go_on)
    pod.start("waits").wait_for("it began")
    go_on.touch()
    pod.sidecar.kill()
    ended = come_back(pod)

    assert (shared.EXIT_SIDECAR_LOST, Reason.VANISHED, None) == (ended.code, ended.record.reason, ended.record.state)
    assert [] == api.states()


def test_a_success_that_was_on_its_way_is_still_reported(pod, api):
    reached, go_on = threading.Event(), threading.Event()

    def state(_):
        reached.set()
        go_on.wait(30)
        return Answer(204)

    api.answers["/state"] = state
    pod.start("succeed")
    assert reached.wait(60)
    pod.sidecar.kill()
    go_on.set()
    api.answers["/state"] = lambda _: Answer(204)
    ended = come_back(pod)

    assert (Reason.SUCCEEDED, "success", True) == (ended.record.reason, ended.record.state, ended.record.acknowledged)
    assert {"success"} == set(api.states())


def test_a_crash_that_was_reported_before_stays_the_tasks(pod, api):
    reached = threading.Event()
    away = threading.Event()

    def state(_):
        reached.set()
        away.wait(30)
        return Answer(204)

    api.answers["/state"] = state
    pod.start("exit_with_3")
    assert reached.wait(60)
    pod.sidecar.kill()
    away.set()
    ended = come_back(pod)

    assert (0, Reason.CRASHED, 3) == (ended.code, ended.record.reason, ended.record.exit.code)


def test_a_launcher_that_is_told_to_stop_lets_the_task_clean_up(pod, api):
    pod.start("polite", grace_seconds=12).wait_for("it began")
    pod.process.terminate()
    ended = pod.end()

    assert Reason.INTERRUPTED == ended.record.reason
    assert [] == api.states()
    assert "on_kill was called" in ended.events("task.stdout")
