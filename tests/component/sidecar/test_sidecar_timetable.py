"""A sidecar whose runner asks a timetable: it has no right to ask the server anything, and none to report a state."""

import json

import pytest

from airlock_wire.protocol.timetables import Describe, TimetableRequest
from airlock_wire.record import Reason
from airlock_wire.workload import Timetable

RESULT = {"type": "TimetableResult", "answers": [{"run_id": "r", "error": "d.py:1: the password is s3cret"}]}


@pytest.fixture
def timetable(make_sidecar, make_launcher):
    def launch(token="token-0", **changes):
        request = TimetableRequest(questions=[Describe()], bundle_name="b", file="d.py", dag_id="d")
        sidecar = make_sidecar(Timetable(request=request, log_path="timetable/d.log", **changes)).start(token)
        launcher = make_launcher(sidecar)
        return sidecar, launcher, launcher.begin()

    return launch


def test_a_timetable_is_asked_without_a_call_of_the_server_and_its_errors_are_masked(api, timetable):
    sidecar, launcher, first = timetable()
    assert ("TimetableRequest", [{"about": "describe"}]) == (first["type"], first["questions"])
    launcher.ask({"type": "MaskSecret", "value": "s3cret"})
    launcher.ask(RESULT)
    launcher.exit(0)

    assert Reason.ANSWERED is sidecar.end().reason
    assert [] == api.calls
    kept = json.loads((sidecar.folder / "state/result.json").read_text())
    assert [{"run_id": "r", "error": "d.py:1: the password is ***"}] == kept["answers"]


@pytest.mark.parametrize(
    "message",
    [{"type": "GetVariable", "key": "k"}, {"type": "GetConnection", "conn_id": "c"}],
)
def test_a_timetable_without_a_token_is_granted_nothing(api, timetable, message):
    _, launcher, _ = timetable(token=None)
    refusal = str(launcher.ask(message))

    assert "PERMISSION_DENIED" in refusal
    assert "in a timetable or partition mapper: nothing is granted to it" in refusal
    assert [] == api.calls


@pytest.mark.parametrize(
    "message",
    [
        {"type": "SucceedTask", "end_date": "2026-01-01T00:00:00Z"},
        {"type": "DagFileParsingResult", "fileloc": "d.py", "serialized_dags": []},
        {"type": "TriggerResult"},
    ],
)
def test_a_timetable_cannot_speak_as_another_mode(timetable, message):
    _, launcher, _ = timetable()
    assert "is not served to this runner" in str(launcher.ask(message))


def test_a_timetable_that_takes_too_long_is_stopped(timetable):
    sidecar, launcher, _ = timetable(timeout_seconds=0.2)
    launcher.hear("stop")
    launcher.exit(None, signal=9)

    record = sidecar.end()
    assert (Reason.TIMED_OUT, None) == (record.reason, record.state)
    assert "the timetable took longer to answer than its limit of 0.2 s" in record.message
