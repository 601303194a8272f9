"""The rules of a schedule's next run. tests/contract/scheduling has them beside Airflow's, with thousands of cases."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from airlock_wire.schedules import planning, ticks
from airlock_wire.schedules.planning import Bounds

BERLIN = ZoneInfo("Europe/Berlin")


def day(number, hour=0):
    return datetime(2026, 1, number, hour, tzinfo=UTC)


class Days:
    """A step at each midnight."""

    def after(self, moment):
        return self.align_down(moment) + timedelta(days=1)

    def before(self, moment):
        return self.align_up(moment) - timedelta(days=1)

    def align_up(self, moment):
        return moment if moment == self.align_down(moment) else self.after(moment)

    def align_down(self, moment):
        return moment.replace(hour=0)


def interval(last=None, earliest=None, latest=None, *, catchup=True, now=None):
    steps, now = Days(), now or day(9, 12)
    bounds = Bounds(earliest, latest, catchup)
    return planning.next_interval(steps, last, bounds, lambda least: planning.newest_interval(steps, now, least))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, None),
        ({"earliest": day(3, 1)}, (day(4), day(5))),
        ({"last": (day(3), day(4)), "earliest": day(1)}, (day(4), day(5))),
        ({"last": (day(3), day(4)), "earliest": day(8)}, (day(8), day(9))),
        ({"last": (day(3), day(4)), "latest": day(4)}, (day(4), day(5))),
        ({"last": (day(3), day(4)), "latest": day(3, 23)}, None),
        ({"catchup": False}, (day(8), day(9))),
        ({"catchup": False, "now": day(9)}, (day(8), day(9))),
        ({"catchup": False, "earliest": day(20)}, (day(20), day(21))),
        ({"catchup": False, "last": (day(3), day(4))}, (day(8), day(9))),
        # A schedule that was changed: the last interval ended inside of a step, and began at its start.
        ({"last": (day(3), day(3, 12))}, (day(4), day(5))),
    ],
)
def test_a_run_for_an_interval_is_after_its_end(asked, expected):
    assert expected == interval(**asked)


def test_a_schedule_that_does_not_lead_on_is_an_error():
    with pytest.raises(ValueError, match="does not lead beyond"):
        interval(last=(day(5), day(3)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, day(7)),
        ({"earliest": day(3, 1)}, day(4)),
        ({"last": day(3)}, day(4)),
        ({"last": day(3), "earliest": day(6)}, day(4)),
        ({"last": day(3), "latest": day(4)}, day(4)),
        ({"last": day(3), "latest": day(3)}, None),
        ({"catchup": False, "last": day(3)}, day(9)),
        ({"catchup": False, "last": day(9)}, day(10)),
        ({"catchup": False, "earliest": day(20)}, day(20)),
        ({"catchup": False}, day(9)),
    ],
)
def test_a_run_by_a_trigger_is_at_a_step(asked, expected):
    bounds = Bounds(asked.get("earliest"), asked.get("latest"), asked.get("catchup", True))

    assert expected == planning.next_trigger(Days(), asked.get("last"), bounds, day(9, 12), lambda: day(7))


@pytest.mark.parametrize(
    ("hour", "run_immediately", "expected"),
    [
        (12, True, day(9)),
        (12, False, day(10)),
        (2, False, day(9)),
        (3, False, day(10)),
        (12, timedelta(hours=12), day(9)),
        (12, timedelta(hours=11), day(10)),
        (0, False, day(9)),
    ],
)
def test_a_dag_without_a_start_runs_at_once_where_the_last_step_is_near(hour, run_immediately, expected):
    assert expected == planning.first_trigger(Days(), day(9, hour), run_immediately)


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 0 * * *", "2026-01-02T12:00+00:00", ("2026-01-01T23:00", "2026-01-02T23:00")),
        # The clock is set forward at 02:00 in Berlin: half past two is an hour later.
        ("30 2 * * *", "2026-03-29T00:00+00:00", ("2026-03-28T01:30", "2026-03-29T01:30")),
        # It is set back at 03:00: the later half past two is the tick.
        ("30 2 * * *", "2026-10-25T00:00+00:00", ("2026-10-24T00:30", "2026-10-25T01:30")),
        ("30 * * * *", "2026-10-25T00:15+00:00", ("2026-10-24T23:30", "2026-10-25T00:30")),
        ("30 * * * *", "2026-10-25T00:45+00:00", ("2026-10-25T00:30", "2026-10-25T01:30")),
    ],
)
def test_ticks_are_counted_on_the_wall_clock_of_the_zone(expression, moment, expected):
    at = datetime.fromisoformat(moment)
    found = [ticks.tick(expression, BERLIN, at, croniter, forward=forward) for forward in (False, True)]

    assert list(expected) == [f"{each:%Y-%m-%dT%H:%M}" for each in found]
