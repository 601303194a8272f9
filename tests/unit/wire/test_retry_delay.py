"""How long a task that failed waits for its next try."""

from datetime import UTC, datetime

import pytest

from airlock_wire.retry_delay import next_delay

DATE = datetime(2026, 1, 1, tzinfo=UTC)


def delay(try_number=1, **more):
    names = {"dag_id": "d", "task_id": "t", "logical_date": DATE}
    return next_delay(**(names | {"try_number": try_number, "delay_seconds": 60.0} | more))


def test_a_delay_without_a_factor_stays():
    assert [60, 60] == [delay(number) for number in (1, 9)]
    assert 7.5 == delay(3, delay_seconds=7.5, factor=1.0)


@pytest.mark.parametrize("factor", [2.0, 1.5, 3])
def test_a_delay_with_a_factor_lies_between_its_base_and_twice_that(factor):
    for number in range(1, 6):
        base = -(-60.0 * factor ** (number - 1) // 1)
        assert base <= delay(number, factor=factor) < 2 * base


def test_tasks_that_failed_together_do_not_come_back_together():
    delays = {delay(3, factor=2.0, task_id=f"t{number}") for number in range(9)}

    assert len(delays) > 5


def test_a_delay_is_cut_by_the_setting_and_then_by_the_task():
    assert 100 == delay(30, factor=2.0, max_seconds=100.0)
    assert 50 == delay(30, factor=2.0, max_seconds=100.0, task_max_seconds=50.0)
    assert 86400 == delay(5000, factor=2.0)
    assert 1 == delay(1, delay_seconds=0.0, factor=2.0)
