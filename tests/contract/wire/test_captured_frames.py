"""The check that live conversations are held to: it takes every message of the protocol, and nothing beside it."""

import pytest
from contract import captured
from contract.wire import samples

from airlock_wire.protocol import frames, messages

START = frames.response(0, samples.FULL["StartupDetails"])
ASK = frames.request(0, messages.GetVariable(key="k"))
TELL = frames.response(0, messages.VariableResult(key="k", value="v"))
ERROR = messages.ErrorResponse(detail={"status_code": 500})


@pytest.fixture
def check(airflows_schema, tmp_path):
    def check(*sent):
        (tmp_path / "capture").write_bytes(b"".join(sent))
        return captured.Schema(airflows_schema).check(tmp_path / "capture")

    return check


def test_every_message_of_the_protocol_is_counted(check):
    asked = [message for name, message in samples.CASES if type(message).__name__ in captured.REQUESTS]
    told = [message for name, message in samples.CASES if type(message).__name__ in captured.ANSWERS]
    requests = [frame for message in asked for frame in (frames.request(7, message), frames.response(7))]
    answers = [frame for message in told for frame in (ASK, frames.response(0, message))]
    met = check(START, *requests, *answers, ASK, frames.response(0, error=ERROR))

    assert captured.REQUESTS | captured.ANSWERS | {"StartupDetails", captured.EMPTY, captured.RAISED} == set(met)
    assert len(requests) + len(answers) + 3 == met.total()


def test_a_sidecar_that_came_back_starts_over_in_the_middle_of_a_question(check):
    assert {"StartupDetails": 2, "GetVariable": 2, "VariableResult": 1} == check(START, ASK, START, ASK, TELL)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([START, frames.request(0, {"type": "GetVariable"})], "'key' is a required property"),
        ([START, frames.request(0, {"type": "GetVariable", "key": 1})], r"GetVariable.key: 1 is not of type 'string'"),
        ([START, frames.request(0, {"type": "GetSecret", "key": "k"})], "'GetSecret' is not a message"),
        ([START, frames.request(0, {"key": "k"})], "None is not a message"),
        ([START, frames.request(0, {"type": "VariableResult", "key": "k", "value": "v"})], "'VariableResult' is not"),
        ([START, frames.request(0, {"type": "SucceedTask", "end_date": "2026-01-02T03:04:05"})], "end_date"),
        ([START, frames.request(0, {"type": "ValidateInletsAndOutlets", "ti_id": "no id"})], "ti_id"),
        ([START, ASK, frames.response(0, {"type": "VariableResult", "key": "k"})], "'value' is a required property"),
        ([START, ASK, frames.response(0, {"type": "GetVariable", "key": "k"})], "'GetVariable' is not a message"),
        ([START, ASK, frames.response(0, error={"type": "ErrorResponse", "error": "NO"})], "ErrorResponse.error"),
        ([START, ASK, frames.response(0, error={"message": "no"})], "None is not a message"),
        ([START, ASK, frames.response(0, {"type": "OKResponse", "ok": True}, ERROR)], "a body and an error"),
        ([START, ASK, frames.response(1)], "the answer to 0 has id 1"),
        ([START, frames.request(-1, messages.GetVariable(key="k"))], "an id is a number"),
        ([START, frames.request(0, messages.GetVariable(key="k"), {"traceparent": 1})], "a carrier"),
        ([frames.response(1, samples.FULL["StartupDetails"])], "has id 0"),
        ([frames.response(0, {"type": "StartupDetails"})], "is a required property"),
        ([ASK, TELL], "begins with"),
        ([START, ASK, TELL[:-1]], "the stream ends"),
        ([START, b"\0\0\0\1\xc1"], "not msgpack"),
        ([START, b"\0\0\0\5\x94\0\xc0\xc0\xc0"], "a frame of 4 elements"),
    ],
)  # fmt: skip
def test_a_planted_frame_is_found(check, sent, why):
    with pytest.raises(captured.WrongFrame, match=why):
        check(*sent)
