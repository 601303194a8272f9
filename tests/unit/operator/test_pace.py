"""How fast pods are made."""

from airlock_operator.decide.pace import Pace


def test_without_a_limit_nobody_waits():
    pace = Pace(0.0)

    assert [0.0] * 100 == [pace.wait(0.0) for _ in range(100)]


def test_a_seconds_worth_goes_at_once_and_the_rest_by_the_rate():
    pace = Pace(10.0)

    assert [0.0] * 10 == [pace.wait(0.0) for _ in range(10)]
    assert 0.1 == round(pace.wait(0.0), 6)
    assert 0.0 == pace.wait(0.1)


def test_a_long_pause_saves_up_no_more_than_a_second():
    pace = Pace(2.0)
    pace.wait(0.0)

    assert [0.0, 0.0] == [pace.wait(3600.0), pace.wait(3600.0)]
    assert pace.wait(3600.0) > 0
