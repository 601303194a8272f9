"""What code that belongs to no task instance may look up: a DAG file while it is imported, a timetable, a DAG's callback."""

import pytest
from doubles.api import Answer

from airlock_wire.protocol.callbacks import CallbackRequest, DagCallbacks
from airlock_wire.protocol.messages import DagFileParseRequest
from airlock_wire.protocol.timetables import Describe, TimetableRequest
from airlock_wire.record import Reason
from airlock_wire.workload import Callback, Parse, Timetable

OF_DAG = DagCallbacks(state="failed", reason="task_failure")
WORKLOADS = {
    "a file": Parse(request=DagFileParseRequest(file="/b/d.py", bundle_path="/b", bundle_name="b"), log_path="d.log"),
    "a timetable": Timetable(
        request=TimetableRequest(questions=[Describe()], bundle_name="b", file="d.py", dag_id="d"), log_path="d.log"
    ),
    "callbacks": Callback(
        request=CallbackRequest(call=OF_DAG, bundle_name="b", file="d.py", dag_id="d", run_id="r"), log_path="d.log",
        timeout_seconds=30.0,
    ),
}  # fmt: skip
RESULTS = {
    "a file": {"type": "DagFileParsingResult", "fileloc": "/b/d.py", "serialized_dags": [], "import_errors": None},
    "a timetable": {"type": "TimetableResult", "answers": [{"run_id": "r"}]},
    "callbacks": {"type": "CallbackResult", "called": 1, "errors": []},
}
CONNECTION = {
    "conn_id": "c", "conn_type": "t", "host": "h", "schema": None, "login": None, "password": "open-sesame", "port": None,
    "extra": None,
}  # fmt: skip
XCOM = {"dag_id": "d", "run_id": "r", "task_id": "t", "key": "k"}


@pytest.fixture(params=WORKLOADS)
def launch(request, api, make_sidecar, make_launcher):
    """A launch with a token, whose server has a variable and a connection: the sidecar, the launcher, the result."""
    api.answers |= {
        "/variables/api_key": lambda _: Answer(200, {"key": "api_key", "value": "hush-hush"}),
        "/variables/keys": lambda _: Answer(200, {"keys": ["api_key"], "total_entries": 1}),
        "/connections/c": lambda _: Answer(200, CONNECTION),
        "/variables/none": lambda _: Answer(404, {"detail": {"reason": "not_found", "message": "none"}}),
    }
    sidecar = make_sidecar(WORKLOADS[request.param]).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    return sidecar, launcher, RESULTS[request.param]


def test_it_looks_up_variables_and_connections_with_the_token_that_stays_in_the_sidecar(api, launch):
    _, launcher, _ = launch
    value = launcher.ask({"type": "GetVariable", "key": "api_key"}).body
    keys = launcher.ask({"type": "GetVariableKeys", "prefix": ""}).body
    connection = launcher.ask({"type": "GetConnection", "conn_id": "c"}).body
    absent = launcher.ask({"type": "GetVariable", "key": "none"}).body

    assert ("hush-hush", ["api_key"], "open-sesame") == (value["value"], keys["keys"], connection["password"])
    assert "VARIABLE_NOT_FOUND" == absent["error"]
    assert {"token-0"} == {call.token for call in api.calls}


def test_what_it_read_is_masked_in_its_log(launch):
    sidecar, launcher, result = launch
    launcher.ask({"type": "GetVariable", "key": "api_key"})
    launcher.ask({"type": "GetConnection", "conn_id": "c"})
    launcher.write("stdout", b"hush-hush and open-sesame\n")
    launcher.ask(result)
    launcher.exit(0)

    assert sidecar.end().reason in (Reason.PARSED, Reason.ANSWERED)
    assert ["*** and ***"] == [line["event"] for line in sidecar.log() if " and " in line["event"]]


def test_without_a_question_the_server_is_not_asked(api, launch):
    sidecar, launcher, result = launch
    launcher.ask(result)
    launcher.exit(0)

    assert sidecar.end().reason in (Reason.PARSED, Reason.ANSWERED)
    assert [] == api.calls


@pytest.mark.parametrize(
    "message",
    [
        {"type": "GetXCom", **XCOM},
        {"type": "PutVariable", "key": "k", "value": "v", "description": None},
        {"type": "DeleteVariable", "key": "k"},
        {"type": "SetXCom", "value": 1, **XCOM},
        {"type": "TriggerDagRun", "dag_id": "d", "run_id": "r", "conf": {}},
        {"type": "GetDagRun", "dag_id": "d", "run_id": "r"},
        {"type": "SucceedTask", "end_date": "2026-01-01T00:00:00Z"},
        {"type": "DeferTask", "classpath": "a.B", "trigger_kwargs": {}, "next_method": "m"},
    ],
    ids=lambda message: message["type"],
)
def test_it_may_ask_for_nothing_else(api, launch, message):
    _, launcher, _ = launch
    answer = str(launcher.ask(message))

    assert "PERMISSION_DENIED" in answer or "is not served to this runner" in answer or "Unhandled" in answer
    assert [] == api.calls
