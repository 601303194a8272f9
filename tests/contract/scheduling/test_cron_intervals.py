"""The last interval between two ticks of a cron expression is Airflow's, whatever the clocks of its zone do."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airlock_server.rules.cron import last_interval

DRIVER = Path(__file__).parent / "drivers/cron_intervals.py"
EXPRESSIONS = [
    "0 0 * * *", "30 2 * * *", "0 * * * *", "*/15 * * * *", "0 */2 * * *", "15 1-3 * * *", "0 0 * * MON#2", "0 0 L * *",
    "0 12 13 * 5", "5 4 1,15 * *", "0 0 1 */3 *", "30 1 * * 0", "0 0 29 2 *",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
#: Around these the clocks of the zones change.
CHANGES = [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]


def case(number):
    chance = random.Random(number)
    moment = chance.choice(CHANGES) + timedelta(minutes=15 * chance.randrange(-200, 300))
    return {
        "expression": chance.choice(EXPRESSIONS),
        "timezone": chance.choice(ZONES),
        "moment": moment.isoformat(),
    }


def test_the_last_interval_between_two_ticks_is_airflows(run_driver):
    cases = [case(number) for number in range(800)]
    expected = json.loads(run_driver(DRIVER, json.dumps(cases).encode()))
    intervals = [
        [
            each.timestamp()
            for each in last_interval(of["expression"], of["timezone"], datetime.fromisoformat(of["moment"]))
        ]
        for of in cases
    ]

    differences = [each for each in zip(cases, expected, intervals, strict=True) if each[1] != each[2]]
    assert [] == differences
    assert len(set(map(tuple, expected))) > 100
