"""Bytes pinned: a change of a single one is a change of the protocol, and shows here without Airflow installed."""

import json
from pathlib import Path

from airlock_wire.protocol import frames, messages, whole

DRIVER = Path(__file__).parent / "drivers" / "rewrite.py"

OUR_REQUEST = "0000001b930082a474797065ab4765745661726961626c65a36b6579a16bc0"
AIRFLOWS_REQUEST = "0000001b930082a36b6579a16ba474797065ab4765745661726961626c65c0"
OUR_RESPONSE = "00000025930783a474797065ae5661726961626c65526573756c74a36b6579a16ba576616c7565c0c0"
AIRFLOWS_RESPONSE = "00000025930783a36b6579a16ba576616c7565c0a474797065ae5661726961626c65526573756c74c0"

ASK = messages.GetVariable(key="k")
ANSWER = messages.VariableResult(key="k", value=None)


def test_our_request():
    assert OUR_REQUEST == frames.request(0, ASK).hex()


def test_our_response():
    assert OUR_RESPONSE == frames.response(7, ANSWER).hex()


def test_we_read_airflows_pinned_bytes():
    request = frames.decode_raw_request(bytes.fromhex(AIRFLOWS_REQUEST)[4:])
    response = frames.decode_response(bytes.fromhex(AIRFLOWS_RESPONSE)[4:])

    assert (0, ASK, None) == (request.id, whole.decode(request.body), request.carrier)
    assert (7, ANSWER, None) == (response.id, messages.to_runner(response.body), response.error)


def test_airflow_reads_ours_and_writes_its_own(run_driver):
    given = [
        {"request": True, "error": False, "frame": OUR_REQUEST},
        {"request": False, "error": False, "frame": OUR_RESPONSE},
    ]

    said = json.loads(run_driver(DRIVER, json.dumps(given).encode()))

    # Only the order of a body's keys differs, in which neither side sees a meaning.
    assert [AIRFLOWS_REQUEST, AIRFLOWS_RESPONSE] == [answer["frame"] for answer in said]
