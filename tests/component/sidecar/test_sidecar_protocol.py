"""What Airflow's runner asks for beside its own task: through a real sidecar process, against a scripted API."""

import json
import os
import socket
import time
import typing
from pathlib import Path

import msgspec
import pytest
from contract.wire import samples
from doubles.api import RUN_CONTEXT, Answer
from doubles.launcher import SUCCEED
from doubles.sidecar import TI, work

from airlock_sidecar.requests.routes import ROUTES
from airlock_wire.protocol import frames, whole
from airlock_wire.record import Reason
from airlock_wire.workload import Access

#: Every list of a TaskRun's access, empty.
NOTHING = Access(**dict.fromkeys(Access.__struct_fields__, ()))

DEFER = {
    "type": "DeferTask",
    "state": "deferred",
    "classpath": "airflow.providers.standard.triggers.temporal.DateTimeTrigger",
    "next_method": "resume",
}
RESCHEDULE = {"type": "RescheduleTask", "reschedule_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}
AWAIT = {"type": "AwaitInputTask", "next_method": "resume"}


@pytest.mark.parametrize(
    ("message", "state", "reason"),
    [
        (DEFER, "deferred", Reason.DEFERRED),
        (RESCHEDULE, "up_for_reschedule", Reason.RESCHEDULED),
        (AWAIT, "awaiting_input", Reason.AWAITING_INPUT),
    ],
)
def test_a_task_that_waits_is_reported_and_recorded(api, sidecar, launcher, message, state, reason):
    launcher.begin()
    answer = launcher.ask(message)
    launcher.exit()
    record = sidecar.end()

    assert (None, None) == (answer.body, answer.error)
    assert [state] == api.states()
    assert (reason, state, True) == (record.reason, record.state, record.acknowledged)


def test_a_task_is_served_after_its_last_word(api, sidecar, launcher):
    api.answers["/links"] = lambda _: Answer(201)
    launcher.begin()
    launcher.ask(DEFER)
    after = launcher.ask(
        {"type": "SetXCom", "key": "links", "value": 1, "dag_id": TI.dag_id, "run_id": TI.run_id, "task_id": TI.task_id}
    )
    launcher.exit()
    sidecar.end()

    assert None is after.error
    assert 1 == len([call for call in api.calls if call.path.startswith("/xcoms")])


def ask_for_a_channel(launcher):
    """The answer to ResendLoggingFD, read as Airflow's runner reads it: the descriptor comes with the length."""
    asked = launcher.send({"type": "ResendLoggingFD"})
    head, fds, _, _ = socket.recv_fds(launcher.frames, frames.HEADER_BYTES, 1)
    rest = launcher.frames.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
    answer = frames.decode_response(rest)
    assert asked == answer.id
    return answer, fds


def test_another_channel_for_log_lines_comes_as_a_real_descriptor(sidecar, launcher):
    launcher.begin()
    answer, (fd,) = ask_for_a_channel(launcher)
    os.write(fd, json.dumps({"event": "from a child", "level": "info", "logger": "child"}).encode() + b"\n")
    os.write(fd, b"a line that does not end")
    os.close(fd)
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert "SentFDs" == answer.body["type"]
    assert 1 == len(answer.body["fds"])
    assert {"from a child", "a line that does not end"} <= {line["event"] for line in sidecar.log()}


def test_channels_are_many_and_not_without_end(sidecar, launcher):
    launcher.begin()
    opened = []
    for _ in range(64):
        answer, fds = ask_for_a_channel(launcher)
        assert None is answer.error
        opened += fds
    refused = launcher.ask({"type": "ResendLoggingFD"})
    for number, fd in enumerate(opened):
        os.write(fd, f"line {number}\n".encode())
        os.close(fd)
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert "64 log channels" in refused.error["detail"]["message"]
    assert {"log channels": 1} == record.refusals
    assert {f"line {number}" for number in range(64)} <= {line["event"] for line in sidecar.log()}


def test_a_channel_that_was_closed_is_given_back(sidecar, launcher):
    launcher.begin()
    held = [ask_for_a_channel(launcher)[1][0] for _ in range(63)]
    for number in range(200):
        ends = time.monotonic() + 10
        while True:
            # The sidecar sees the end of the one before when it comes to it.
            answer, fds = ask_for_a_channel(launcher)
            if answer.error is None:
                break
            assert time.monotonic() < ends, answer.error
        os.write(fds[0], f"line {number}".encode())
        os.close(fds[0])
    open_now = os.listdir(f"/proc/{sidecar.process.pid}/fd")
    for fd in held:
        os.close(fd)
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert [f"line {number}" for number in range(200)] == [
        line["event"] for line in sidecar.log() if line["event"].startswith("line ")
    ]
    assert len(open_now) < 64 + 30


@pytest.mark.parametrize(
    ("message", "slot"),
    [
        ({"type": "GetVariable", "key": "k"}, "body"),
        ({"type": "GetConnection", "conn_id": "k"}, "body"),
        ({"type": "GetVariableKeys"}, "error"),
        ({"type": "PutVariable", "key": "k", "value": "1", "description": None}, "error"),
        ({"type": "TriggerDagRun", "dag_id": "k", "run_id": "r"}, "error"),
        ({"type": "GetXCom", "key": "k", "dag_id": "k", "run_id": "r", "task_id": "t"}, "error"),
        ({"type": "GetAssetStateStoreByName", "name": "k", "key": "x"}, "error"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["type"],
)
def test_what_is_not_granted_is_never_asked_and_names_the_grant(api, make_sidecar, make_launcher, message, slot):
    sidecar = make_sidecar(work(access=NOTHING)).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    answer = launcher.ask(message)
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    refused = getattr(answer, slot)
    assert ("PERMISSION_DENIED", 403) == (refused["error"], refused["detail"]["status_code"])
    assert "spec.access." in refused["detail"]["message"]
    assert [] == [call for call in api.calls if not call.path.startswith("/task-instances/")]
    assert {"not granted": 1} == record.refusals


def test_no_message_reaches_past_its_own_task_instance_with_every_list_empty(api, make_sidecar, make_launcher):
    """What each message is answered with is the table's to say; where it goes is what a server sees."""
    sidecar = make_sidecar(work(access=NOTHING)).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    api.calls.clear()
    governed = {kind.__name__ for kind, route in ROUTES.items() if route.rule} - {"LargeSetXCom"}
    governed |= {"SucceedTask", "DeferTask"}
    refused = set()
    for kind in typing.get_args(whole.FromTask):
        name = kind.__name__
        if name in ("RetryTask", "TaskState", "RescheduleTask", "AwaitInputTask", "ResendLoggingFD"):
            # They end the launch, or bring a descriptor: other tests have them.
            continue
        # A message of ours has no sample among Airflow's: it names its task instance and nothing else.
        body = {"type": name, "ti_id": ""} if name in samples.OURS else msgspec.to_builtins(samples.FULL[name])
        answer = launcher.ask(body | ({"ti_id": TI.id} if "ti_id" in body else {}))
        error = answer.error or answer.body
        if error and error.get("error") == "PERMISSION_DENIED":
            refused.add(name)
            assert "spec.access." in error["detail"]["message"]
    paths = {call.path.partition("?")[0] for call in api.calls if not call.path.endswith("/heartbeat")}
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert governed == refused
    own = ("/task-instances", "/store/ti", "/store/task", "/hitlDetails", "/task-reschedules")
    assert [] == [path for path in paths if not path.startswith(tuple(f"{place}/{TI.id}" for place in own))]
    assert (Reason.SUCCEEDED, ["success"]) == (record.reason, api.states())


@pytest.mark.parametrize(
    "message",
    [
        DEFER | {"classpath": "subprocess.Popen", "trigger_kwargs": {"args": ["id"]}},
        DEFER | {"trigger_kwargs": {"a": {"__classname__": "subprocess.Popen", "__version__": 0, "__data__": {}}}},
        DEFER | {"next_method": "__fail__"},
        AWAIT | {"next_kwargs": {"a": {"__type": "dag", "__var": {}}}},
        SUCCEED | {"task_outlets": [{"name": "victim", "uri": "x://", "type": "Asset"}]},
        SUCCEED | {"outlet_events": [{"dest_asset_key": {"name": "victim", "uri": "x://"}, "extra": {}}]},
    ],
    ids=["a class", "a class of an argument", "a method", "a value", "an outlet", "an event"],
)
def test_an_ending_that_was_not_granted_is_never_sent_and_the_log_says_so(api, sidecar, launcher, message):
    launcher.begin()
    answer = launcher.ask(message)
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert answer.error["error"] in ("PERMISSION_DENIED", "API_SERVER_ERROR")
    assert (["success"], Reason.SUCCEEDED) == (api.states(), record.reason)
    assert any(line["event"].startswith("refused: ") for line in sidecar.log())


@pytest.mark.parametrize(
    ("message", "absent"),
    [
        ({"type": "GetVariable", "key": "keys"}, ("error", "VARIABLE_NOT_FOUND")),
        ({"type": "GetConnection", "conn_id": "a/b"}, ("error", "CONNECTION_NOT_FOUND")),
        ({"type": "GetXCom", "key": "k/slice", "dag_id": "d", "run_id": "r", "task_id": "t"}, ("value", None)),
        ({"type": "GetXCom", "key": "k/item/0", "dag_id": "d", "run_id": "r", "task_id": "t"}, ("value", None)),
        ({"type": "GetXCom", "key": "/slice", "dag_id": "d", "run_id": "r", "task_id": "t"}, ("value", None)),
    ],
)
def test_what_another_route_is_called_is_absent(api, sidecar, launcher, message, absent):
    api.answer = lambda call: Answer(200, RUN_CONTEXT if call.path.endswith("/run") else {"keys": ["a"]})
    launcher.begin()
    api.calls.clear()
    answer = launcher.ask(message)
    asked = [call.path for call in api.calls if "/variables" in call.path or "/xcoms" in call.path]
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert ([], absent[1]) == (asked, answer.body[absent[0]])


@pytest.mark.parametrize(
    "message",
    [
        {"type": "GetVariable", "key": "k"},
        {"type": "GetConnection", "conn_id": "c"},
        {"type": "GetDagRunState", "dag_id": "d", "run_id": "r"},
        {"type": "GetTICount", "dag_id": "d"},
        {"type": "GetAssetByName", "name": "n"},
    ],
    ids=lambda message: message["type"],
)
def test_an_answer_of_another_kind_is_an_error(api, sidecar, launcher, message):
    launcher.begin()
    api.answer = lambda call: Answer(200, {"keys": ["a"], "total_entries": 1})
    answer = launcher.ask(message)
    api.answer = lambda call: Answer(204)
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert None is answer.body
    assert "ValidationError" == answer.error["detail"]["exception_type"]


def test_the_server_is_asked_in_the_runners_version_also_after_a_restart(api, sidecar, launcher):
    launcher.connect(speaks={"api_version": "2026-04-06"})
    launcher.say("forked")
    launcher.nonce = launcher.hear("nonce")["nonce"]
    launcher.say("kept")
    launcher.answer()
    sidecar.kill()
    sidecar.start()
    launcher.link.close()
    launcher.connect(nonce=launcher.nonce, forked=True, speaks={"api_version": "2026-04-06"})
    launcher.say("forked")
    launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert {"2026-04-06"} == {call.version for call in api.calls}
    assert ["success"] == api.states()


@pytest.mark.parametrize("odd", ["", "newest", "2026-6-30", "2026-06-30\r\nX: y", 7])
def test_a_version_that_is_none_is_the_sidecars_own(api, sidecar, launcher, odd):
    launcher.connect(speaks={"api_version": odd})
    launcher.say("forked")
    launcher.hear("nonce")
    launcher.say("kept")
    launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert {"2026-06-30"} == {call.version for call in api.calls}


@pytest.mark.parametrize(
    ("speaks", "query"), [({"clears_xcoms": True}, "?clears_xcoms=true"), ({}, ""), ({"clears_xcoms": "yes"}, "")]
)
def test_the_server_is_told_of_a_runner_that_clears_xcoms_itself(api, sidecar, launcher, speaks, query):
    launcher.begin(speaks=speaks)
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert [query] == [call.path.partition("/run")[2] for call in api.calls if "/run" in call.path]


def test_a_run_context_is_passed_through_as_the_server_wrote_it(api, sidecar, launcher):
    newer = {"dag_run": {"dag_id": "d", "a_newer_field": [1]}, "max_tries": 0, "another": {"deep": None}}
    api.answers["/run"] = lambda _: Answer(200, newer)
    startup = launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert newer == startup["ti_context"]


def test_a_frame_that_asks_for_nothing_known_is_answered(sidecar, launcher):
    launcher.begin()
    answers = [launcher.ask(body) for body in ({"type": "NoSuchMessage"}, {"no": "type"}, 7, {"type": "GetVariable"})]
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert [400] * 4 == [answer.error["detail"]["status_code"] for answer in answers]
    assert (Reason.SUCCEEDED, {"undecodable": 4}) == (record.reason, record.refusals)


def test_a_child_that_begins_its_ids_anew_is_answered_under_them(api, sidecar, launcher):
    api.answers["/k"] = lambda _: Answer(200, {"key": "k", "value": "v"})
    launcher.begin()
    for _ in range(2):
        launcher._next_id = 0
        assert "v" == launcher.ask({"type": "GetVariable", "key": "k"}).body["value"]
    launcher.ask(SUCCEED)
    launcher.exit()
    assert Reason.SUCCEEDED is sidecar.end().reason


def test_a_child_that_ends_leaves_its_channels_lines(sidecar, launcher):
    launcher.begin()
    _, (fd,) = ask_for_a_channel(launcher)
    os.write(fd, b"the last words\n")
    launcher.ask(SUCCEED)
    # The descriptor stays open: a process that the task left behind holds it.
    launcher.exit()
    begun = time.monotonic()
    sidecar.end()
    os.close(fd)

    assert "the last words" in {line["event"] for line in sidecar.log()}
    assert time.monotonic() - begun < 5


RECORDS = [{"id": number, "name": f"name {number}", "value": number * 1.5} for number in range(230_000)]


def peak_mib(sidecar):
    status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.parametrize("value", [RECORDS, "x" * 10_000_000], ids=["records", "text"])
def test_an_xcom_of_ten_megabytes_fits_a_sidecars_memory_both_ways(api, sidecar, launcher, value):
    xcom = {"key": "k", "dag_id": TI.dag_id, "run_id": TI.run_id, "task_id": TI.task_id}
    kept = []
    api.answers["/k"] = lambda call: (
        Answer(200, {"key": "k", "value": kept[0]}) if call.method == "GET" else kept.append(call.body) or Answer(201)
    )
    launcher.begin()
    stored = launcher.ask({"type": "SetXCom", "value": value} | xcom)
    found = launcher.ask({"type": "GetXCom"} | xcom)
    peak = peak_mib(sidecar)
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert (None, None) == (stored.error, found.error)
    assert value == kept[0] == found.body["value"]
    # A pod's sidecar has 128 MiB, and a shared library's pages are not all its own.
    assert peak < 110
