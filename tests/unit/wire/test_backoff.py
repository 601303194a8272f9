"""The one way in which everything of ours waits before it tries again."""

import pytest

from airlock_wire.process import backoff


@pytest.mark.parametrize(
    ("failures", "expected"), [(0, 0.1), (1, 0.1), (2, 0.2), (3, 0.4), (6, 3.2), (7, 5.0), (10_000, 5.0)]
)
def test_a_wait_doubles_up_to_its_bound(failures, expected):
    assert expected == pytest.approx(backoff.grown(failures, 0.1, 5.0))


def test_two_waits_are_never_in_step():
    waits = {backoff.pause(3, 0.1, 5.0) for _ in range(200)}

    assert len(waits) > 100
    assert 0.2 <= min(waits) < 0.25 < 0.35 < max(waits) < 0.4


def test_a_regular_turn_is_scattered_around_its_time():
    turns = [backoff.scattered(10.0, 0.9, 1.1) for _ in range(200)]

    assert 9.0 <= min(turns) < 9.5
    assert 10.5 < max(turns) < 11.0
