"""Days of the week by name and number."""

import pytest

from airlock.standard.weekday import WeekDay


@pytest.mark.parametrize(
    ("days", "numbers"),
    [("Monday", {1}), (WeekDay.SUNDAY, {7}), (["tuesday", WeekDay.FRIDAY], {2, 5}), ({"monday": 1}, {1})],
)
def test_days_are_numbers(days, numbers):
    assert numbers == WeekDay.validate_week_day(days)


@pytest.mark.parametrize(
    ("days", "error"), [("someday", AttributeError), (["monday", "x"], AttributeError), (3.5, TypeError)]
)
def test_what_is_not_a_day_is_refused(days, error):
    with pytest.raises(error):
        WeekDay.validate_week_day(days)
