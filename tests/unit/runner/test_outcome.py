"""How a task ended, as a message: the whole table."""

from datetime import UTC, datetime

import pytest

from airlock.sdk import AirlockFailException, AirlockSkipException, TaskTerminated
from airlock_runner.task.endings.outcome import outcome_of, summary
from airlock_wire.protocol.messages import RetryTask, SucceedTask, TaskState

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FAILED = TaskState(state="failed", end_date=NOW)
SKIPPED = TaskState(state="skipped", end_date=NOW)
SUCCESS = SucceedTask(end_date=NOW, task_outlets=[], outlet_events=[])


def retry(reason):
    return RetryTask(end_date=NOW, retry_delay_seconds=5.0, retry_reason=reason)


class Unreadable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "with_tries_left", "without"),
    [
        (None, SUCCESS, SUCCESS),
        (AirlockSkipException("x"), SKIPPED, SKIPPED),
        (AirlockFailException("x"), FAILED, FAILED),
        (ValueError("x\ny"), retry("ValueError: x"), FAILED),
        (ValueError(), retry("ValueError"), FAILED),
        (SystemExit(3), retry("SystemExit: the task called sys.exit(3)"), FAILED),
        (SystemExit(0), retry("SystemExit: the task called sys.exit(0)"), FAILED),
        (SystemExit(), retry("SystemExit: the task called sys.exit()"), FAILED),
        (KeyboardInterrupt(), retry("KeyboardInterrupt"), FAILED),
        (TaskTerminated("stop"), retry("TaskTerminated: stop"), FAILED),
        (Unreadable(), retry("Unreadable: <Unreadable without a readable text>"), FAILED),
        (ValueError("\udc80"), retry("ValueError: \\udc80"), FAILED),
    ],
)
def test_every_end_has_its_message(error, with_tries_left, without):
    assert with_tries_left == outcome_of(error, should_retry=True, retry_delay_seconds=5.0, now=NOW)
    assert without == outcome_of(error, should_retry=False, retry_delay_seconds=5.0, now=NOW)


def test_a_long_reason_is_cut_to_what_the_server_keeps():
    line = summary(ValueError("x" * 1000))

    assert 500 == len(line)
    assert line.endswith("…")
