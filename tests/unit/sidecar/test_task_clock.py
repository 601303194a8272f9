"""When the clock of a time limit must be looked at again, and when the time is over."""

import pytest

from airlock_sidecar.state.task_clock import LOOK_AGAIN_SECONDS, SLOW_START_SECONDS, TaskClock


class Now:
    at = 0.0

    def __call__(self):
        return self.at


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def clock(now):
    """A clock of a task that began at 0."""
    clock = TaskClock(clock=now)
    clock.start(begun=True)
    return clock


@pytest.mark.parametrize(("limit", "at", "left"), [(4, 3.5, 0.5), (4, 4.0, 0.0), (4, 9.0, 0.0)])
def test_the_time_is_over_at_its_limit(now, clock, limit, at, left):
    now.at = at

    assert left == clock.left(limit)


@pytest.mark.parametrize(("limit", "seconds"), [(5, 1), (100, 5), (86400, 30)])
def test_the_used_time_is_noted_now_and_then(clock, limit, seconds):
    assert seconds == clock.left(limit)


def test_a_slow_start_has_time_of_its_own(now):
    clock = TaskClock(clock=now)
    clock.start()
    now.at = 4 + SLOW_START_SECONDS - 0.5
    before = clock.left(4)
    now.at += 1

    assert (0.5, 0.0) == (before, clock.left(4))


def test_the_time_is_not_over_while_a_request_waits_for_its_first_answer(now, clock):
    now.at = 3
    clock.ask()
    now.at = 9
    waiting = clock.left(4)
    clock.answer()

    assert (LOOK_AGAIN_SECONDS, 0.0) == (waiting, clock.left(4))


def test_the_time_is_not_over_while_the_server_is_away(now, clock):
    now.at = 3
    clock.ask()
    clock.fail()
    for now.at in range(10, 500, 10):
        clock.beat(answered=False)
        assert LOOK_AGAIN_SECONDS == clock.left(4)
    clock.answer()

    assert 1 == clock.left(4)


def test_the_time_runs_out_in_a_request_that_alone_has_no_answer(now, clock):
    now.at = 3
    clock.ask()
    clock.fail()
    now.at = 5
    clock.beat(answered=True)
    now.at = 9
    clock.fail()

    assert 0.0 == clock.left(4)


def test_no_time_is_over_after_the_end(now, clock):
    clock.end()
    now.at = 1e6

    assert clock.left(4) > 0
