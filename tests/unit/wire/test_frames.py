"""Frames: pinned bytes, every id, and what is not a frame."""

import socket
import threading
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from airlock_wire.protocol import frames


def test_the_bytes_of_a_request_are_pinned():
    """Whoever changes them changes the protocol."""
    sent = frames.request(1, {"type": "GetVariable", "key": "k"})

    assert "0000001b" + "930182a474797065ab4765745661726961626c65a36b6579a16bc0" == sent.hex()


def test_the_bytes_of_a_response_are_pinned():
    assert "00000004" + "9301c0c0" == frames.response(1).hex()


def test_a_request_of_two_elements_is_accepted():
    assert 7 == frames.decode_raw_request(b"\x92\x07\xc0").id


@pytest.mark.parametrize("payload", [b"\x91\x07", b"\x92\x07\xc0", b"\x93\x07\xc0\xc0", b"\x95\x07\xc0\xc0\x01\x02"])
def test_a_response_of_one_element_or_more_is_accepted(payload):
    assert frames.Response(7) == frames.decode_response(payload)


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x90", b"\xa1x", b"\x93\xa1x\xc0\xc0", b"\x91" * 5000])
def test_what_is_no_frame_is_undecodable(payload):
    for decode in (frames.decode_response, frames.decode_raw_request):
        with pytest.raises(frames.Undecodable):
            decode(payload)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1])
@pytest.mark.parametrize("rest", [b"", b"\xc1\xc1"])
def test_the_id_is_read_from_the_head_of_a_frame_that_is_cut_off(number, rest):
    head = b"\x93" + msgspec.msgpack.encode(number)

    assert number == frames.leading_id(head + rest)


@pytest.mark.parametrize(
    "head", [b"", b"\x93", b"\xc0", b"\x93\xa1x", b"\x93\xcd\x01", b"\xdc\x00\x03", b"\x93\xd0\xff"]
)
def test_a_head_without_an_id_counts_as_zero(head):
    assert 0 == frames.leading_id(head)


def test_an_array_of_another_width_has_its_id_too():
    assert 5 == frames.leading_id(b"\xdc\x00\x03\x05") == frames.leading_id(b"\xdd\x00\x00\x00\x03\x05")


def test_a_frame_that_comes_byte_by_byte_is_read_whole():
    ours, theirs = socket.socketpair()
    data = frames.request(3, {"type": "X", "v": "y" * 1000})

    def drip():
        for byte in data:
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=drip)
    thread.start()
    payload = frames.read_payload(ours)
    thread.join()
    ours.close()
    theirs.close()

    assert data[4:] == payload


def test_a_stream_that_ends_inside_a_frame_is_an_end():
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\x00\x00\x00\x09abc")
    theirs.close()
    with ours, pytest.raises(EOFError):
        frames.read_payload(ours)


def test_a_frame_over_the_limit_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\x00\x00\x00\x65")
    with ours, theirs, pytest.raises(frames.FrameError, match="over the limit of 100"):
        frames.read_payload(ours, 100)


@pytest.mark.parametrize("data", [b"", b"null", b"x" * 70_000])
def test_a_response_in_pieces_is_the_response_in_one(data):
    body = {"type": "XComResult", "key": "a key"}
    pieces = frames.around(300, body, "value", memoryview(data))

    assert pieces[1].obj is data
    response = frames.decode_response(b"".join(pieces)[frames.HEADER_BYTES :])
    assert frames.Response(300, body | {"value": data}, None) == response
    assert frames.Request(300, body | {"value": data}) == msgspec.msgpack.decode(
        b"".join(pieces)[frames.HEADER_BYTES :], type=frames.Request
    )
    assert len(b"".join(pieces)) - frames.HEADER_BYTES == int.from_bytes(pieces[0][: frames.HEADER_BYTES], "big")


def test_a_moment_of_an_own_class_is_sent_as_any_other():
    class Own(datetime):
        """As pendulum has it."""

    zone = timezone(timedelta(hours=1))
    sent, expected = (frames.request(1, {"at": kind(2026, 1, 2, 3, 4, 5, 6, tzinfo=zone)}) for kind in (Own, datetime))

    assert expected == sent


def test_an_object_that_msgpack_does_not_know_is_named():
    with pytest.raises(TypeError, match="Encoding objects of type object is unsupported"):
        frames.request(1, {"at": object()})
