"""What Airflow's runner asks for beside its own task: through a real sidecar process, against a scripted API."""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from played.api import Answer
from played.launcher import SUCCEED
from played.sidecar import TI, work

from airlock_wire import frames
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


def test_the_server_is_asked_in_the_runners_version_also_after_a_restart(api, sidecar, launcher):
    launcher.connect(api_version="2026-04-06")
    launcher.say("forked")
    launcher.nonce = launcher.hear("nonce")["nonce"]
    launcher.say("kept")
    launcher.answer()
    sidecar.kill()
    sidecar.start()
    launcher.link.close()
    launcher.connect(nonce=launcher.nonce, forked=True, api_version="2026-04-06")
    launcher.say("forked")
    launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert {"2026-04-06"} == {call.version for call in api.calls}
    assert ["success"] == api.states()


@pytest.mark.parametrize("odd", ["", "newest", "2026-6-30", "2026-06-30\r\nX: y", 7])
def test_a_version_that_is_none_is_the_sidecars_own(api, sidecar, launcher, odd):
    launcher.connect(api_version=odd)
    launcher.say("forked")
    launcher.hear("nonce")
    launcher.say("kept")
    launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    assert {"2026-06-30"} == {call.version for call in api.calls}


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
