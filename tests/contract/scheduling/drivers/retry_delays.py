"""Airflow's own delay between two tries, for each case on the standard input."""

import json
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

from airflow.models.taskinstance import TaskInstance

EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def delay(case):
    task = SimpleNamespace(
        retry_delay=timedelta(seconds=case["retry_delay"]),
        retry_exponential_backoff=case["factor"],
        max_retry_delay=None if case["max_delay"] is None else timedelta(seconds=case["max_delay"]),
    )
    instance = SimpleNamespace(
        retry_delay_override=None,
        task=task,
        dag_id=case["dag_id"],
        task_id=case["task_id"],
        logical_date=case["logical_date"] and datetime.fromisoformat(case["logical_date"]),
        try_number=case["try_number"],
        end_date=EPOCH,
        log=SimpleNamespace(warning=lambda *_: None),
    )
    return (TaskInstance.next_retry_datetime(instance) - EPOCH).total_seconds()


print(json.dumps([delay(case) for case in json.load(sys.stdin)]))
