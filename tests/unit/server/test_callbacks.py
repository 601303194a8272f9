"""Which callbacks the platform calls itself, and what the end of their process means."""

import msgspec
import pytest

from airlock_server.launching.local.callbacks import dag_log, errors_of
from airlock_server.rules.callbacks import of_lost_runner, tells_somebody
from airlock_wire.dags.task import SerializedTask
from airlock_wire.protocol.callbacks import CallbackResult
from airlock_wire.record import Reason, Record
from airlock_wire.states import TaskInstanceState as S


@pytest.mark.parametrize(
    ("state", "record", "needed"),
    [
        (S.FAILED, Record(reason=Reason.FAILED, state="failed"), None),
        (S.UP_FOR_RETRY, Record(reason=Reason.RETRY, state="up_for_retry"), None),
        (S.FAILED, Record(reason=Reason.TIMED_OUT, state="failed"), None),
        (S.FAILED, Record(reason=Reason.CRASHED, state="failed", judged=True), "failed"),
        (S.UP_FOR_RETRY, Record(reason=Reason.OOM_KILLED, state="up_for_retry", judged=True), "up_for_retry"),
        (S.FAILED, Record(reason=Reason.VANISHED), "failed"),
        (S.FAILED, None, "failed"),
        (S.SUCCESS, None, None),
        (S.SUCCESS, Record(reason=Reason.SUCCEEDED, state="success"), None),
        (S.DEFERRED, Record(reason=Reason.DEFERRED, state="deferred"), None),
    ],
)
def test_a_task_needs_its_callbacks_called_only_if_its_runner_reported_nothing(state, record, needed):
    assert needed == of_lost_runner(state, record)


@pytest.mark.parametrize(
    ("options", "failed", "retried"),
    [
        ({}, False, False),
        ({"has_callbacks": ["on_failure"]}, True, False),
        ({"has_callbacks": ["on_retry", "on_success"]}, False, True),
        ({"email": ["a@b.example"]}, True, True),
        ({"email": ["a@b.example"], "email_on_retry": False}, True, False),
        ({"email": ["a@b.example"], "email_on_failure": False}, False, True),
        ({"email": ["a@b.example"], "email_on_failure": False, "has_callbacks": ["on_failure"]}, True, True),
    ],
)
def test_who_wants_to_know_of_a_state_has_a_callback_or_an_address(options, failed, retried):
    task = SerializedTask(task_id="t", **options)

    assert (failed, retried) == (tells_somebody(task, "failed"), tells_somebody(task, "up_for_retry"))


@pytest.mark.parametrize(
    ("record", "data", "errors"),
    [
        (Record(reason=Reason.ANSWERED), msgspec.json.encode(CallbackResult(called=1, errors=["d.py:1: E: no"])), ["d.py:1: E: no"]),
        (Record(reason=Reason.CRASHED, message="signal 9"), None, ["d.py: the process that called the callbacks ended without an answer: signal 9"]),
        (None, None, ["d.py: the process that called the callbacks ended without an answer"]),
        (
            Record(reason=Reason.TIMED_OUT, message="the callbacks took longer than their limit of 50 s and were stopped"), None,
            ["d.py: the callbacks took longer than their limit of 50 s and were stopped; set AIRLOCK__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT for more time"],
        ),
        (Record(reason=Reason.ANSWERED), b"{}", ["d.py: the answer of the callbacks cannot be read: Object missing required field `called`"]),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said_in_lines(record, data, errors):
    assert errors == errors_of("d.py", record, data)


def test_the_log_of_a_run_lies_beside_those_of_its_tasks():
    assert "dag_id=d/run_id=r/dag.callback.1.log" == dag_log("d", "r")
