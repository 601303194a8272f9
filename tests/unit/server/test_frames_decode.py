"""Captured frames as lines."""

import io

from hypothesis import given
from hypothesis import strategies as st

from airlock_server.cli.frames import decode_stream
from airlock_wire.protocol import frames

ASK = frames.request(1, {"type": "GetVariable", "key": "k"})


def lines(data):
    return list(decode_stream(io.BytesIO(data)))


def test_each_frame_is_a_line_with_its_place():
    first, second = lines(ASK + frames.response(1, {"type": "VariableResult", "key": "k", "value": "v"}))
    assert (0, "k") == (first["offset"], first["frame"][1]["key"])
    assert (second["offset"], second["frame"][1]["value"]) == (len(ASK), "v")


def test_a_frame_that_is_cut_off_says_where():
    assert "ends after 3 of the frame's" in lines(ASK + ASK[:7])[-1]["problem"]
    assert "ends after 2 of a header's 4 bytes" in lines(ASK + ASK[:2])[-1]["problem"]


def test_nonsense_in_one_frame_does_not_hide_the_next():
    found = lines(b"\0\0\0\x01\xc1" + ASK)
    assert "not msgpack" in found[0]["problem"]
    assert 1 == found[1]["frame"][0]


def test_a_length_that_cannot_be_ends_the_stream():
    (found,) = lines(b"\xff\xff\xff\xff" + ASK)
    assert "over the limit" in found["problem"]


def test_a_payload_that_is_no_frame_is_shown_and_named():
    (found,) = lines(b"\0\0\0\x01\x05")
    assert 5 == found["frame"]
    assert "an array that starts with its id" in found["problem"]


@given(st.binary(max_size=200))
def test_any_bytes_give_lines_and_never_an_error(data):
    for line in lines(data):
        assert "frame" in line or "problem" in line
