"""Frames and answers that grow when they are taken apart: whatever is in them, the sidecar stays within its memory."""

import json

import msgspec
import pytest
from component.sidecar.test_sidecar_attacks import LIMIT_BYTES, MIB, peak_bytes
from doubles.api import Answer
from doubles.launcher import SUCCEED
from doubles.sidecar import TI, work

from airlock_wire.protocol import frames
from airlock_wire.record import Reason
from airlock_wire.workload import Access

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOM = 16 * MIB - 400
OWN = {"dag_id": TI.dag_id, "run_id": TI.run_id, "task_id": TI.task_id, "key": "k"}
DATE = "2026-01-01T00:00:00Z"


def array(member, count):
    return b"\xdd" + count.to_bytes(4, "big") + member * count


def text(data):
    return b"\xdb" + len(data).to_bytes(4, "big") + data


def numbered(count, value, start=0):
    """A map of so many keys, each another."""
    return b"\xdf" + count.to_bytes(4, "big") + b"".join(
        b"\xa5" + b"%05x" % n + value for n in range(start, start + count)
    )  # fmt: skip


FILLS = {
    "empty lists": array(b"\x90", ROOM),
    "few empty lists": array(b"\x90", 4_000_000),
    "not so many empty lists": array(b"\x90", 500_000),
    "empty maps": array(b"\x80", ROOM),
    "small maps": array(b"\x81\xa1a\x90", ROOM // 4),
    "short texts": array(b"\xa2ab", ROOM // 3),
    "small numbers": array(b"\x01", ROOM),
    "floats": array(b"\xcb" + b"\x40\x09\x21\xfb\x54\x44\x2d\x18", ROOM // 9),
    "lists in lists": b"\x91" * ROOM + b"\xc0",
    "a map of many keys": numbered(ROOM // 8, b"\x90"),
    "control characters": text(b"\x01" * ROOM),
    "letters beyond ASCII": text("é".encode() * (ROOM // 2)),
    "one wide letter": text("😀".encode() + b"x" * (ROOM - 4)),
    "wide letters in short texts": array(b"\xac" + "😀".encode() + b"abcdefgh", ROOM // 13),
    "records": array(msgspec.msgpack.encode({"id": 1, "name": "a name", "inner": {"x": [1.5]}}), ROOM // 40),
}
#: For each message the field that takes any value, what goes around the value, and the rest of its fields.
MESSAGES = {
    "SetXCom": ("value", b"", OWN),
    "MaskSecret": ("value", b"", {}),
    "SetRenderedFields": ("rendered_fields", b"\x81\xa1a", {}),
    "TriggerDagRun": ("conf", b"\x81\xa1a", {"dag_id": "x", "run_id": "y"}),
    "DeferTask": ("next_kwargs", b"\x81\xa1a", {
        "classpath": "airflow.providers.standard.triggers.temporal.DateTimeTrigger", "next_method": "resume"}),
    "AwaitInputTask": ("next_kwargs", b"\x81\xa1a", {"next_method": "resume"}),
    "SkipDownstreamTasks": ("tasks", b"", {}),
    "SucceedTask": ("outlet_events", b"\x91\x81\xa1a", {"end_date": DATE}),
    "GetTICount": ("run_ids", b"", {"dag_id": "d"}),
    "SetTaskStateStore": ("value", b"", {"ti_id": TI.id, "key": "k", "expires_at": None}),
    "SetAssetStateStoreByName": ("value", b"", {"name": "n", "key": "k"}),
    "CreateHITLDetailPayload": ("params", b"\x81\xa1a", {"ti_id": TI.id, "options": [], "subject": "s"}),
    "GetVariable": ("unknown", b"", {"key": "k"}),
    "NoSuchMessage": ("value", b"", {}),
}  # fmt: skip


def frame(kind, fill, number):
    """A request whose value is ready as bytes, cut to what a frame has room for."""
    field, around, rest = MESSAGES[kind]
    body = {"type": kind, **rest}
    head = bytes([0x80 + len(body) + 1]) + b"".join(
        msgspec.msgpack.encode(name) + msgspec.msgpack.encode(value) for name, value in body.items()
    )
    payload = b"\x93" + msgspec.msgpack.encode(number) + head + msgspec.msgpack.encode(field) + around + fill + b"\xc0"
    assert len(payload) <= frames.MAX_FRAME_BYTES
    return len(payload).to_bytes(4, "big") + payload


def ask(launcher, data):
    number = launcher._next_id
    launcher._next_id += 1
    launcher.frames.sendall(data(number))
    answer = launcher.answer()
    assert number == answer.id
    return answer


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_frame_that_grows_keeps_the_sidecar_within_its_memory(api, make_sidecar, make_launcher, kind):
    sidecar = make_sidecar(work(access=Access(xcom_writes=None, asset_events=("*",)))).start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.frames.settimeout(60)
    api.answers |= {end: lambda _: Answer(204) for end in ("/k", "/count", "/value", "/y", "/hitlDetails/" + TI.id)}
    peaks = {}
    for name, fill in FILLS.items():
        ask(launcher, lambda number, fill=fill: frame(kind, fill, number))
        api.calls.clear()
        peaks[name] = peak_bytes(sidecar) // MIB
    launcher.ask(SUCCEED)
    launcher.exit()

    assert sidecar.end().reason in (Reason.SUCCEEDED, Reason.DEFERRED, Reason.AWAITING_INPUT)
    assert LIMIT_BYTES // MIB > max(peaks.values()), peaks


def test_what_goes_beside_a_message_is_not_taken_apart(sidecar, launcher):
    launcher.begin()
    body = msgspec.msgpack.encode({"type": "MaskSecret", "value": "long enough"})
    for number, name in enumerate(FILLS):
        payload = b"\x93" + bytes([number]) + body + FILLS[name][: 16 * MIB - 100]
        launcher.frames.sendall(len(payload).to_bytes(4, "big") + payload)
        assert number == launcher.answer().id
    peak = peak_bytes(sidecar)

    assert peak < LIMIT_BYTES


ANSWERS = {
    "empty lists": b"[" + b"[]," * 10_000_000 + b"[]]",
    "empty maps": b"[" + b"{}," * 10_000_000 + b"{}]",
    "small numbers": b"[" + b"1," * 7_000_000 + b"1]",
    "short texts": b"[" + b'"ab",' * 3_000_000 + b'"ab"]',
    "escapes": b'"' + b"\\n" * 15_000_000 + b'"',
    "escaped wide letters": b'"' + b"\\ud83d\\ude00" * 2_500_000 + b'"',
    "one wide letter": b'"' + "😀".encode() + b"x" * 15_000_000 + b'"',
    "a wide letter in far too much": b'"' + "😀".encode() + b"x" * 30_000_000 + b'"',
    "lists in lists": b"[" * 10_000_000 + b"]" * 10_000_000,
    "maps in maps": b'{"a":' * 5_000_000 + b"1" + b"}" * 5_000_000,
    "a map of many keys": b"{" + b",".join(b'"%06x":[]' % n for n in range(2_000_000)) + b"}",
}


@pytest.mark.parametrize(
    "ask_for", ["GetXCom", "GetXComSequenceSlice", "GetTaskStateStore", "GetVariable", "GetDagRun"]
)
def test_an_answer_that_grows_keeps_the_sidecar_within_its_memory(api, make_sidecar, make_launcher, ask_for):
    """Who wrote the XCom may have written it for this."""
    sidecar = make_sidecar().start()
    launcher = make_launcher(sidecar)
    launcher.begin()
    launcher.frames.settimeout(60)
    body, around = {
        "GetXCom": (OWN, b'{"key": "k", "value": %s}'),
        "GetXComSequenceSlice": (OWN | {"start": 0, "stop": 1, "step": 1}, b"%s"),
        "GetTaskStateStore": ({"ti_id": TI.id, "key": "k"}, b'{"value": %s}'),
        "GetVariable": ({"key": "k"}, b'{"key": "k", "value": %s}'),
        "GetDagRun": ({"dag_id": "d", "run_id": "r"}, b'{"conf": %s}'),
    }[ask_for]
    peaks = {}
    for name, value in ANSWERS.items():
        api.raw = around.replace(b"%s", value)
        launcher.ask({"type": ask_for, **body})
        peaks[name] = peak_bytes(sidecar) // MIB
    api.raw = None
    launcher.ask(SUCCEED)
    launcher.exit()

    assert Reason.SUCCEEDED == sidecar.end().reason
    assert LIMIT_BYTES // MIB > max(peaks.values()), peaks


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000_000, "a line\n" * 1_400_000, "日本語" * 1_000_000, [{"id": n, "name": f"n{n}", "v": n / 3} for n in range(150_000)],
     list(range(1_500_000)), {f"k{n}": [n] for n in range(200_000)}],
    ids=["a text", "lines", "letters beyond ASCII", "records", "numbers", "a map"],
)  # fmt: skip
def test_an_xcom_of_ten_megabytes_comes_and_goes(api, sidecar, launcher, value):
    kept = []
    launcher.begin()
    launcher.frames.settimeout(60)
    api.answers["/k"] = lambda call: (call.method == "POST" and kept.append(call.body)) or Answer(201)
    stored = launcher.ask({"type": "SetXCom", "value": value, **OWN})
    api.raw = b'{"key": "k", "value": ' + json.dumps(value).encode() + b"}"
    read = launcher.ask({"type": "GetXCom", **OWN})
    api.raw = None
    launcher.ask(SUCCEED)
    launcher.exit()
    peak = peak_bytes(sidecar)

    assert (None, None) == (stored.error, read.error)
    # A server that is slow to read it is asked again.
    assert [] == [each for each in kept if each != value]
    assert kept
    assert value == read.body["value"]
    assert peak < LIMIT_BYTES
