"""Airflow's CommsDecoder in conversation with our frames, over a socket."""

import json
import socket
import threading
from pathlib import Path

import msgspec
import pytest
from contract.wire import samples

from airlock_wire.protocol import frames, messages, whole

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).parent / "drivers" / "converse.py"
SECONDS = 60


class OurSide(threading.Thread):
    """Starts the runner at the other end, then answers one request after the other with what the test gave."""

    def __init__(self, sock, start, answers):
        super().__init__(daemon=True)
        self._sock, self._start, self._answers = sock, start, answers
        self.asked = []

    def run(self):
        self._sock.settimeout(SECONDS)
        self._sock.sendall(frames.response(0, self._start))
        for body, error in self._answers:
            try:
                frame = frames.decode_raw_request(frames.read_payload(self._sock))
            except EOFError:
                return
            self.asked.append((frame.id, whole.decode(frame.body)))
            self._sock.sendall(frames.response(frame.id, body, error))


@pytest.fixture
def converse(run_driver):
    def run(start, exchanges, *, parse=False):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            side = OurSide(ours, start, [(body, error) for _, body, error in exchanges])
            side.start()
            ask = [msgspec.to_builtins(message) for message, _, _ in exchanges]
            given = {"fd": theirs.fileno(), "parse": parse, "ask": ask}
            said = run_driver(DRIVER, json.dumps(given).encode(), pass_fds=[theirs.fileno()])
            side.join(SECONDS)
        return side.asked, json.loads(said)

    return run


def ours(value):
    return None if value is None else samples.comparable(msgspec.convert(value, samples.MESSAGES[value["type"]]))


def test_a_task_runners_conversation(converse):
    full = samples.FULL
    denied = full["ErrorResponse"]
    exchanges = [
        (full["MaskSecret"], None, None),
        (full["GetVariable"], full["VariableResult"], None),
        (full["GetVariable"], denied, None),
        (full["GetConnection"], full["ConnectionResult"], None),
        (full["GetXCom"], full["XComResult"], None),
        (full["SetXCom"], None, denied),
        (full["SetXCom"], full["OKResponse"], None),
        (full["SetRenderedFields"], None, None),
        (full["TaskState"], None, None),
        (full["RetryTask"], None, None),
        (full["SucceedTask"], None, None),
    ]

    asked, heard = converse(full["StartupDetails"], exchanges)

    assert asked == list(enumerate(message for message, _, _ in exchanges))
    assert ours(heard[0]["answer"]) == samples.comparable(full["StartupDetails"])
    for (_, body, error), said in zip(exchanges, heard[1:], strict=True):
        assert {key: ours(value) for key, value in said.items()} == ({"raised": error} if error else {"answer": body})


def test_a_parsers_conversation(converse):
    result = samples.FULL["DagFileParsingResult"]

    asked, heard = converse(samples.FULL["DagFileParseRequest"], [(result, None, None)], parse=True)

    assert asked == [(0, result)]
    assert [ours(said["answer"]) for said in heard] == [samples.FULL["DagFileParseRequest"], None]


def test_a_large_answer_arrives_whole(converse):
    large = messages.XComResult(key="k", value="x" * (8 * 1024 * 1024))

    _, heard = converse(samples.FULL["StartupDetails"], [(samples.FULL["GetXCom"], large, None)])

    assert ours(heard[1]["answer"]) == large
