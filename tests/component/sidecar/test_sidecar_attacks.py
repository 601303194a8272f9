"""A runner that is hostile: everything is refused or bounded, and its own task still ends as it should."""

import contextlib
import json
import os
import socket
import threading
import time
import warnings

import msgspec
import pytest
from doubles.api import Answer
from doubles.launcher import FAIL, SUCCEED

from airlock_runner.link import Link, LinkLost
from airlock_wire import pod
from airlock_wire.protocol import frames
from airlock_wire.record import Reason

#: The memory limit of the sidecar's container, which no attack below may make it need.
LIMIT_BYTES = 128 * 1024 * 1024

MIB = 1024 * 1024


def peak_bytes(sidecar) -> int:
    with open(f"/proc/{sidecar.process.pid}/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def own(body, **changes):
    return {"dag_id": "d", "run_id": "r", "task_id": "t", "key": "k", "value": 1, **body, **changes}


def test_another_user_is_not_let_in(make_sidecar, make_launcher):
    sidecar = make_sidecar(sidecar__runner_uid=os.getuid() + 1, sidecar__connect_seconds=2).start()
    launcher = make_launcher(sidecar)
    _wait_for_socket(sidecar)
    with pytest.raises(LinkLost):
        Link.connect(launcher.socket_dir, launcher.streams)

    record = sidecar.wait_for_record()
    assert (Reason.RUNNER_NEVER_CONNECTED, {"hello": 1}) == (record.reason, record.refusals)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_process_of_another_user_is_refused_and_the_launcher_still_comes_in(sidecar, launcher):
    _wait_for_socket(sidecar)
    for folder in (sidecar.folder, sidecar.folder / "socket"):
        folder.chmod(0o755)
    answer = _hello_as(65534, str(sidecar.folder / "socket" / pod.SOCKET_NAME))
    launcher.begin()
    launcher.ask(SUCCEED)
    launcher.exit()

    assert b"" == answer
    assert {"hello": 1} == sidecar.end().refusals


def test_nobody_can_connect_once_the_session_is_sealed(sidecar, launcher):
    launcher.begin()

    assert not (sidecar.folder / "socket" / pod.SOCKET_NAME).exists()
    with pytest.raises(LinkLost):
        Link.connect(launcher.socket_dir, launcher.streams)


@pytest.mark.parametrize("nonce", ["", "0" * 48, "é"])
def test_a_restarted_sidecar_lets_nobody_in_without_the_nonce(sidecar, launcher, nonce):
    launcher.begin()
    sidecar.kill()
    sidecar.start()
    _wait_for_socket(sidecar)
    with pytest.raises(LinkLost):
        Link.connect(launcher.socket_dir, launcher.streams, nonce=nonce, forked=True)

    assert "StartupDetails" == launcher.come_back()["type"]
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()
    assert (Reason.SUCCEEDED, 1) == (record.reason, record.refusals["hello"])


def test_a_stream_that_is_no_pipe_is_refused(sidecar, launcher):
    class Odd:
        readers = ()

    _wait_for_socket(sidecar)
    odd = [socket.socketpair() for _ in range(3)]
    Odd.readers = tuple(pair[0].fileno() for pair in odd)
    with pytest.raises(LinkLost):
        Link.connect(launcher.socket_dir, Odd)
    for pair in odd:
        pair[0].close()
        pair[1].close()

    assert "StartupDetails" == launcher.begin()["type"]


@pytest.mark.parametrize(
    "changes", [{"dag_id": "other"}, {"run_id": "other"}, {"task_id": "other"}, {"map_index": 3}, {"task_id": "../t"}]
)
def test_a_write_under_foreign_ids_is_refused(api, sidecar, launcher, changes):
    launcher.begin()
    answer = launcher.ask(own({"type": "SetXCom"}, **changes))
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert answer.error is not None
    assert [] == [call for call in api.calls if call.path.startswith("/xcoms")]
    assert (Reason.SUCCEEDED, {"not granted": 1}) == (record.reason, record.refusals)


def test_a_second_terminal_message_is_refused_and_the_first_stands(api, sidecar, launcher):
    launcher.begin()
    first, second = launcher.ask(SUCCEED), launcher.ask(FAIL)
    launcher.exit()
    record = sidecar.end()

    assert (None, ["success"]) == (first.error, api.states())
    assert "second terminal message" in second.error["detail"]["message"]
    assert ("success", {"second terminal message": 1}) == (record.state, record.refusals)


def test_a_length_of_four_gigabytes_ends_the_channel_and_the_task_crashed(api, sidecar, launcher):
    launcher.begin()
    launcher.frames.sendall(b"\xff\xff\xff\xff" + b"x" * 100)
    launcher.hear(pod.STOP)
    launcher.exit(None, 15)
    peak = peak_bytes(sidecar)
    record = sidecar.end()

    assert (Reason.CRASHED, ["failed"], {"broken stream": 1}) == (record.reason, api.states(), record.refusals)
    assert peak < LIMIT_BYTES


@pytest.mark.parametrize("size", [16 * MIB + 1, 100 * MIB, 256 * MIB])
def test_a_frame_over_the_cap_is_discarded_and_answered_under_its_id(sidecar, launcher, size):
    launcher.begin()
    head = bytes.fromhex("93cd1234") + b"\xc6" + (size - 10).to_bytes(4, "big")
    launcher.frames.sendall(size.to_bytes(4, "big") + head)
    left = size - len(head)
    while left:
        left -= launcher.frames.send(b"\0" * min(left, MIB))
    answer = launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    peak = peak_bytes(sidecar)

    assert (0x1234, "FrameTooLarge") == (answer.id, answer.error["detail"]["reason"])
    assert Reason.SUCCEEDED == sidecar.end().reason
    assert peak < LIMIT_BYTES


def test_the_largest_frame_that_is_taken_keeps_the_sidecar_within_its_memory(api, sidecar, launcher):
    api.answers["/k"] = lambda _: Answer(201)
    launcher.begin()
    answer = launcher.ask(own({"type": "SetXCom"}, value="x" * (16 * MIB - 200)))
    peak = peak_bytes(sidecar)

    assert None is answer.error
    assert peak < LIMIT_BYTES


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x91" * 200_000 + b"\xc0", id="arrays in arrays"),
        pytest.param(b"\x93\x05" + b"\x81\xa1k" * 200_000 + b"\xc0\xc0", id="maps in maps"),
        pytest.param(b"\xc1", id="a byte that msgpack never uses"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x93\x05\x81\xa4type\xa8NoSuchIt\xc0", id="an unknown message"),
        pytest.param(b"\x93\x05\x81\xa4type\xabGetVariable\xc0", id="a field missing"),
        pytest.param(b"\x93\x05\xc0\xc0", id="no body"),
        pytest.param(b"\x05", id="no array"),
        pytest.param(b"\x93\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xc0\xc0", id="the smallest id"),
        pytest.param(b"\xdd\xff\xff\xff\xff", id="an array announced and not there"),
    ],
)
def test_nonsense_is_answered_and_the_stream_goes_on(sidecar, launcher, payload):
    launcher.begin()
    launcher.frames.sendall(len(payload).to_bytes(4, "big") + payload)
    answer = launcher.answer()
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert answer.error is not None
    assert (Reason.SUCCEEDED, {"undecodable": 1}) == (record.reason, record.refusals)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"\x00\x00", b"\x00\x00\x00\x09abc"])
def test_half_a_frame_and_then_silence_ends_the_channel_while_heartbeats_go_on(api, make_sidecar, make_launcher, sent):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=1).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.frames.sendall(sent)
    launcher.link.control.settimeout(45)
    while not any(line["event"] == pod.STOP for line in launcher.link.hear()):
        pass
    launcher.exit(None, 15)

    assert Reason.CRASHED == sidecar.end().reason
    assert len([call for call in api.calls if call.path.endswith("/heartbeat")]) > 20


def test_a_hundred_thousand_log_lines_are_all_kept_and_heartbeats_go_on(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=0.05).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    before = len([call for call in api.calls if call.path.endswith("/heartbeat")])
    launcher.write("stdout", b"".join(b"line %d\n" % n for n in range(100_000)))
    answer = launcher.ask(SUCCEED)
    launcher.exit()
    peak = peak_bytes(sidecar)
    record = sidecar.end()

    assert (None, Reason.SUCCEEDED) == (answer.error, record.reason)
    assert [f"line {n}" for n in range(100_000)] == [line["event"] for line in sidecar.log()]
    assert before < len([call for call in api.calls if call.path.endswith("/heartbeat")])
    assert peak < LIMIT_BYTES


def test_a_line_without_an_end_is_cut_and_bounded(sidecar, launcher):
    launcher.begin()
    launcher.write("stdout", b"x" * (8 * MIB))
    launcher.ask(SUCCEED)
    launcher.exit()
    peak = peak_bytes(sidecar)
    sidecar.end()

    events = [line["event"] for line in sidecar.log()]
    assert "x" * (8 * MIB) == "".join(events)
    assert max(map(len, events)) <= 65536
    assert peak < LIMIT_BYTES


def test_log_fields_cannot_be_forged(sidecar, launcher):
    launcher.begin()
    forged = {"event": "hi", "level": "root", "logger": "airlock.sidecar", "dag_id": "other", "ti_id": "x", "extra": 1}
    launcher.write("log", json.dumps(forged).encode() + b"\n")
    launcher.write("stdout", json.dumps(forged).encode() + b"\n")
    launcher.write("stderr", b"\x1b[2Jgone\r\x00 \xff\n")
    launcher.write("log", b"[" * 5000 + b"\n" + b"not json\n")
    launcher.ask(SUCCEED)
    launcher.exit()
    sidecar.end()

    lines = sidecar.log()
    log, stdout, stderr = (
        next(x for x in lines if x["logger"] == f"task.{name}") for name in ("log", "stdout", "stderr")
    )
    assert ("hi", "info", "d", 1) == (log["event"], log["level"], log["dag_id"], log["extra"])
    assert json.dumps(forged) == stdout["event"]
    assert ("\x1b[2Jgone\r\x00 \\xff", "error") == (stderr["event"], stderr["level"])
    assert "not json" in [line["event"] for line in lines]
    assert {"d"} == {line["dag_id"] for line in lines}
    raw = sidecar.log_path.read_bytes()
    assert not [byte for byte in raw if byte < 0x20 and byte != 0x0A]


def test_a_flood_of_requests_is_bounded_and_each_is_answered_once(api, make_sidecar, make_launcher):
    sidecar = make_sidecar(sidecar__heartbeat_seconds=0.2).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    count = 20_000
    ask = b"".join(frames.request(n, {"type": "MaskSecret", "value": "x"}) for n in range(count))
    writer = threading.Thread(target=launcher.frames.sendall, args=(ask,))
    writer.start()
    # Nothing is read for a while: the sidecar must stop taking requests, not keep their answers.
    time.sleep(1.0)
    answered = [launcher.answer().id for _ in range(count)]
    writer.join(10)
    peak = peak_bytes(sidecar)
    launcher._next_id = count
    launcher.ask(SUCCEED)
    launcher.exit()

    assert list(range(count)) == answered
    assert Reason.SUCCEEDED == sidecar.end().reason
    assert peak < LIMIT_BYTES


def test_too_many_secrets_to_mask_are_refused_and_none_is_dropped_silently(sidecar, launcher):
    launcher.begin()
    answer = launcher.ask({"type": "MaskSecret", "value": ["s" * 9 + str(n) for n in range(200_000)]})

    assert "secrets to mask" in answer.error["detail"]["message"]


@pytest.mark.parametrize("odd", [msgspec.msgpack.Ext(5, b"x"), {None: 1}], ids=["an extension", "a map with odd keys"])
@pytest.mark.parametrize(
    "body",
    [
        lambda odd: {"type": "SetXCom", "key": "k", "value": odd, "dag_id": "d", "run_id": "r", "task_id": "t"},
        lambda odd: {"type": "SetRenderedFields", "rendered_fields": {"f": odd}},
        lambda odd: {**SUCCEED, "outlet_events": [{"e": odd}]},
    ],
    ids=["an XCom", "rendered fields", "the last word"],
)
def test_a_value_that_json_cannot_say_is_refused_and_forgotten(api, sidecar, launcher, body, odd):
    launcher.begin()
    answer = launcher.ask(body(odd))
    launcher.ask(SUCCEED)
    launcher.exit()
    record = sidecar.end()

    assert "not JSON" in answer.error["detail"]["message"]
    assert (Reason.SUCCEEDED, {"not JSON": 1}, ["success"]) == (record.reason, record.refusals, api.states())


def test_a_request_that_is_not_served_is_answered(sidecar, launcher):
    launcher.begin()
    answer = launcher.ask({"type": "DagFileParsingResult", "fileloc": "f", "serialized_dags": []})

    assert "not served" in answer.error["detail"]["message"]


def _hello_as(uid, path):
    """What a process of another user is answered to a hello; it connects, or this fails."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # The child only makes system calls, so it does not matter that this process has threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(path)
            os.write(write, b"connected ")
            peer.settimeout(5)
            # A door that is shut in its face may also reset the connection.
            with contextlib.suppress(OSError):
                peer.sendall(pod.line(pod.HELLO_FRAMES))
                os.write(write, peer.recv(100))
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with open(read, "rb") as said:
        answer = said.read()
    assert answer.startswith(b"connected "), answer
    return answer.removeprefix(b"connected ")


def _wait_for_socket(sidecar, seconds=10):
    ends = time.monotonic() + seconds
    while not (sidecar.folder / "socket" / pod.SOCKET_NAME).exists():
        assert time.monotonic() < ends
        time.sleep(0.01)
    time.sleep(0.05)
