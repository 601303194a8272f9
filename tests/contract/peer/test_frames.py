"""
Every frame of every runner of the real Airflow's task instances is as Airflow's schema has it, whichever side is ours:
Airflow's runner behind our sidecar, our runner behind it, and our runner behind Airflow's own supervisor.
"""

import collections
from typing import get_args

import pytest
from contract import captured
from contract.captured import EMPTY, RAISED

from airlock_wire.protocol import whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Messages that no task here sends.
UNASKED = {
    "GetDagRun": "nothing in Airflow's SDK or standard provider sends it from a task",
    "GetHITLDetailResponse": "a triggerer's",
    "UpdateHITLDetail": "a triggerer's",
    "ClearAllTaskStateStore": "our runner's alone: Airflow has no such message",
    "ResendLoggingFD": "sent from a virtualenv: tests/contract/runner/test_surroundings.py",
}
#: What no task here is answered.
UNANSWERED = {
    "DagRunResult": "nothing asks for it",
    "SentFDs": "answers ResendLoggingFD",
}
OUR_RUNNERS = {
    "StartupDetails", "GetVariable", "VariableResult", "GetConnection", "ConnectionResult", "ErrorResponse", "SetXCom",
    "SetRenderedFields", "SucceedTask", "RetryTask", "TaskState", "ValidateInletsAndOutlets", "SetTaskStateStore",
    "GetTaskStateStore", "ClearTaskStateStore", "SetAssetStateStoreByName", "GetAssetStateStoreByName",
    "DeleteAssetStateStoreByName", "ClearAssetStateStoreByName", "GetAssetsByAlias", "GetAssetEventByAsset", EMPTY,
}  # fmt: skip


def met(ran, frames_schema, way):
    """How many frames there were of each kind, all of them valid."""
    found = collections.Counter()
    for capture in ran.captures(way):
        found += frames_schema.check(capture)
    return found


def test_airflows_runner_and_our_sidecar(ran, frames_schema):
    found = met(ran, frames_schema, "ours")
    asked = {kind.__name__ for kind in get_args(whole.FromTask)} - UNASKED.keys()
    answered = captured.ANSWERS - captured.REQUESTS - UNANSWERED.keys()

    assert asked == found.keys() & captured.REQUESTS
    assert {"StartupDetails", EMPTY, RAISED} | answered == found.keys() - captured.REQUESTS


@pytest.mark.parametrize("way", ["runner", "behind"])
def test_our_runner(ran, frames_schema, way):
    found = met(ran, frames_schema, way)

    assert set() == OUR_RUNNERS - found.keys(), found
    # One for each task and try.
    assert 8 == found["StartupDetails"]
