"""Every way a launch can end, judged by the witness of user code's starts and the server's accepted state writes."""

import os
import signal

import pytest

from airlock_wire.states import TaskInstanceState


@pytest.mark.parametrize(
    ("task_id", "retries", "state"),
    [
        ("work", 0, "success"),
        ("fails", 0, "failed"),
        ("fails", 2, "up_for_retry"),
        ("fails_for_good", 2, "failed"),
        ("skips", 2, "skipped"),
    ],
)
def test_an_ordinary_end_is_written_once(laptop, task_id, retries, state):
    laptop.start(task_id, retries=retries).wait()

    assert (1, ["queued", "running", state]) == (laptop.starts(), laptop.state_writes())


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(("retries", "state"), [(0, "failed"), (2, "up_for_retry")])
def test_an_exit_without_a_word_is_a_failure_whatever_its_code(laptop, code, retries, state):
    laptop.start("exits", retries=retries, code=code).wait()

    assert (1, ["queued", "running", state]) == (laptop.starts(), laptop.state_writes())
    assert f"exited with code {code}" in laptop.outcome.reason


@pytest.mark.parametrize(("retries", "state"), [(0, "failed"), (2, "up_for_retry")])
def test_a_killed_runner_is_a_failure_of_the_task(laptop, retries, state):
    laptop.start("hang", retries=retries).wait_for_starts()
    os.kill(laptop.runner_pid, signal.SIGKILL)
    laptop.wait()

    assert (1, ["queued", "running", state]) == (laptop.starts(), laptop.state_writes())
    assert "signal 9" in laptop.outcome.reason


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "Vanished"), (signal.SIGTERM, "Interrupted")])
def test_a_lost_launcher_of_a_task_without_retries_fails_it_with_that_reason(laptop, number, reason):
    laptop.start("hang").wait_for_starts()
    os.kill(laptop.launcher_pid, number)
    laptop.wait()

    assert (1, ["queued", "running", "failed"]) == (laptop.starts(), laptop.state_writes())
    assert laptop.outcome.reason.startswith(reason)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lost_launcher_of_a_task_with_retries_is_launched_again_and_burns_none(laptop, number):
    laptop.start("first_hangs", retries=2).wait_for_starts()
    os.kill(laptop.launcher_pid, number)
    laptop.wait()

    assert (2, ["queued", "running", "queued", "running", "success"]) == (laptop.starts(), laptop.state_writes())
    assert (TaskInstanceState.SUCCESS, 1) == (laptop.outcome.state, laptop.outcome.try_number)


def test_the_infra_budget_has_an_end(make_laptop):
    laptop = make_laptop(local__infra_budget=1)
    laptop.start("hang", retries=2)
    for start in (1, 2):
        laptop.wait_for_starts(start)
        os.kill(laptop.launcher_pid, signal.SIGKILL)
    laptop.wait()

    assert ["queued", "running", "queued", "running", "failed"] == laptop.state_writes()
    assert laptop.outcome.reason.startswith("InfraBudgetExhausted")


def test_a_task_over_its_time_is_stopped_and_may_clean_up(laptop):
    laptop.start("tidy").wait()

    assert (1, ["queued", "running", "failed"]) == (laptop.starts(), laptop.state_writes())
    assert laptop.outcome.reason.startswith("TimedOut")
    assert "cleaned up" in laptop.events()


@pytest.mark.slow
def test_a_task_that_ignores_being_stopped_is_killed(laptop):
    laptop.start("deaf").wait(20)

    assert ["queued", "running", "failed"] == laptop.state_writes()
    assert laptop.outcome.reason.startswith("TimedOut")
    assert "ignored AirlockTaskTimeout" in laptop.events()


@pytest.mark.slow
def test_a_task_that_ignores_sigterm_is_killed_before_the_grace_period_ends(make_laptop):
    laptop = make_laptop(local__grace_seconds=12)
    laptop.start("deaf").wait_for_starts()
    os.kill(laptop.launcher_pid, signal.SIGTERM)
    laptop.wait(12)

    assert ["queued", "running", "failed"] == laptop.state_writes()


def test_a_daemon_that_a_task_leaves_behind_does_not_hold_the_launch_up(laptop):
    laptop.start("leaves_a_daemon").wait(5)

    assert (1, ["queued", "running", "success"]) == (laptop.starts(), laptop.state_writes())
