"""The delay between two tries is Airflow's, to the second."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airlock_wire.retry_delay import MAX_DELAY_SECONDS, next_delay

DRIVER = Path(__file__).parent / "drivers/retry_delays.py"


def case(number):
    chance = random.Random(number)
    date = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
        seconds=chance.randrange(10**8), microseconds=chance.choice([0, 7])
    )
    return {
        "dag_id": f"dag{chance.randrange(9)}",
        "task_id": f"täsk{chance.randrange(9)}",
        "logical_date": chance.choice([None, date.isoformat()]),
        "try_number": chance.choice([1, 2, 3, 7, 20, 60, 2000]),
        "retry_delay": chance.choice([0, 0.5, 1, 60, 300, 4000.25, 10**6]),
        "factor": chance.choice([0, 1, 2, 2.0, 1.5, 0.5, 10]),
        "max_delay": chance.choice([None, 0.25, 90, 10**7]),
    }


@pytest.mark.parametrize(
    ("settings", "max_seconds"), [({}, MAX_DELAY_SECONDS), ({"AIRFLOW__CORE__MAX_TASK_RETRY_DELAY": "700"}, 700)]
)
def test_the_delay_between_two_tries_is_airflows(run_driver, settings, max_seconds):
    cases = [case(number) for number in range(600)]
    expected = json.loads(run_driver(DRIVER, json.dumps(cases).encode(), **settings))
    delays = [
        next_delay(
            dag_id=each["dag_id"],
            task_id=each["task_id"],
            logical_date=each["logical_date"] and datetime.fromisoformat(each["logical_date"]),
            try_number=each["try_number"],
            delay_seconds=float(each["retry_delay"]),
            factor=each["factor"],
            task_max_seconds=each["max_delay"],
            max_seconds=max_seconds,
        )
        for each in cases
    ]

    assert [] == [
        (each, theirs, ours) for each, theirs, ours in zip(cases, expected, delays, strict=True) if theirs != ours
    ]
    assert len(set(expected)) > 40
