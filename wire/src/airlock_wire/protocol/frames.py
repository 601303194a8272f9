"""
Length-prefixed msgpack frames between the runner and the sidecar.

A frame is a 4-byte big-endian length and that many bytes of msgpack:

* a request is ``[id, body, carrier]`` (two elements are accepted on read),
* a response is ``[id, body, error]`` (one to three elements are accepted), with at most one of body and error.

A body is a map whose ``type`` names its message (``airlock_wire.protocol.messages``). Ids are the sender's counter: a
child that inherits the descriptor starts at 0 again, so an id only ties an answer to its question and is never
a key. The layout is Airflow 3.3's, byte for byte, so that either side can be Airflow's own.

Both sides use exactly this module, so there is one place where a byte can be wrong. It decides nothing about
hostile peers: the limits are enforced where untrusted bytes arrive, in the sidecar.
"""

import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

HEADER_BYTES = 4

#: The largest frame either side sends or accepts, header excluded. The sidecar's setting may lower it.
MAX_FRAME_BYTES = 16 * 1024 * 1024

_UINT8, _UINT16, _UINT32, _UINT64 = 0xCC, 0xCD, 0xCE, 0xCF
_ARRAY16, _ARRAY32 = 0xDC, 0xDD
_ARRAY_OF_3, _MAP, _BINARY32, _NIL = 0x93, 0x80, 0xC6, 0xC0


class FrameError(Exception):
    """These bytes are not a frame: the peer is broken or hostile, and the rest of its stream cannot be trusted."""


class Undecodable(FrameError):
    """The content of one frame cannot be decoded. The stream is intact: answer the frame and go on."""


class Request(msgspec.Struct, array_like=True, frozen=True):
    """What the runner asks: an id, a message body, and the W3C trace carrier of the task, if any."""

    id: int
    body: Any
    carrier: dict[str, str] | None = None


class Response(msgspec.Struct, array_like=True, frozen=True):
    """What the sidecar answers under the request's id. Without body and error the request was done, and that is all."""

    id: int
    body: Any = None
    error: Any = None


class RawRequest(msgspec.Struct, array_like=True, frozen=True):
    """A request that is left undecoded, for the side that does not trust it yet."""

    id: int
    body: msgspec.Raw
    raw_carrier: msgspec.Raw = msgspec.Raw(b"\xc0")

    @property
    def carrier(self) -> Any:
        """The carrier, decoded. Raises msgspec.MsgspecError."""
        return msgspec.msgpack.decode(self.raw_carrier)


def _plain(value: Any) -> Any:
    """Returns a moment of another library's class as Python's own: msgspec encodes no class that derives from it."""
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.time(), value.tzinfo)
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_response_decoder = msgspec.msgpack.Decoder(Response)
_raw_request_decoder = msgspec.msgpack.Decoder(RawRequest)


def encode(frame: Request | Response) -> bytes:
    """Encodes a frame; the bytes begin with its length."""
    buffer = bytearray(HEADER_BYTES)
    _encoder.encode_into(frame, buffer, HEADER_BYTES)
    buffer[:HEADER_BYTES] = (len(buffer) - HEADER_BYTES).to_bytes(HEADER_BYTES, "big")
    return bytes(buffer)


def request(id: int, body: Any, carrier: Mapping[str, str] | None = None) -> bytes:  # noqa: A002 - the wire's word
    """Returns the bytes of a request, always with its three elements, as Airflow's runner writes them."""
    return encode(Request(id, body, dict(carrier) if carrier else None))


def response(id: int, body: Any = None, error: Any = None) -> bytes:  # noqa: A002 - the wire's word
    """Returns the bytes of a response, always with its three elements, as Airflow's supervisor writes them."""
    return encode(Response(id, body, error))


def around(
    id: int,  # noqa: A002 - the wire's word
    body: Mapping[str, Any],
    name: str,
    data: memoryview,
) -> tuple[bytes, memoryview, bytes]:
    """
    Returns the bytes of a frame in three pieces, of which the second is ``data`` itself: ten megabytes are not copied.
    It is the binary field ``name`` of the body, behind the fewer than fifteen others. A request without a carrier and a
    response without an error have the same bytes.
    """
    fields = b"".join(_encoder.encode(part) for item in body.items() for part in item)
    head = b"".join(
        (
            bytes([_ARRAY_OF_3]),
            _encoder.encode(id),
            bytes([_MAP | (len(body) + 1)]),
            fields,
            _encoder.encode(name),
            bytes([_BINARY32]) + len(data).to_bytes(4, "big"),
        )
    )
    tail = bytes([_NIL])
    return (len(head) + len(data) + len(tail)).to_bytes(HEADER_BYTES, "big") + head, data, tail


def decode_response(payload: bytes | memoryview) -> Response:
    """Returns a response from its payload; raises Undecodable."""
    try:
        return _response_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise Undecodable(f"not a response frame: {e}") from e


def decode_raw_request(payload: bytes) -> RawRequest:
    """Returns a request from its payload, body untouched; raises Undecodable."""
    try:
        return _raw_request_decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise Undecodable(f"not a request frame: {e}") from e


def leading_id(payload: bytes) -> int:
    """
    Returns the id in a request's first bytes, whatever follows them; 0 if there is no id.

    With it a frame that is too long, or that does not decode, is answered under the id that its sender waits for.
    """
    if not payload:
        return 0
    first, rest = payload[0], payload[1:]
    if 0x90 <= first <= 0x9F:
        pass
    elif first == _ARRAY16:
        rest = rest[2:]
    elif first == _ARRAY32:
        rest = rest[4:]
    else:
        return 0
    if not rest:
        return 0
    if rest[0] <= 0x7F:
        return rest[0]
    width = {_UINT8: 1, _UINT16: 2, _UINT32: 4, _UINT64: 8}.get(rest[0])
    if width is None or len(rest) < 1 + width:
        return 0
    return int.from_bytes(rest[1 : 1 + width], "big")


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """Reads ``count`` bytes from a blocking stream socket; raises EOFError if the peer closes it before that."""
    if count <= 65536:
        data = sock.recv(count, socket.MSG_WAITALL)
        if len(data) == count:
            return data
        if not data:
            raise EOFError("the peer closed the stream")
        buffer = bytearray(count)
        buffer[: len(data)] = data
        have = len(data)
    else:
        buffer, have = bytearray(count), 0
    view = memoryview(buffer)
    while have < count:
        size = sock.recv_into(view[have:])
        if not size:
            raise EOFError(f"the peer closed the stream after {have} of {count} bytes")
        have += size
    return bytes(buffer)


def read_payload(sock: socket.socket, limit: int = MAX_FRAME_BYTES) -> bytes:
    """
    Reads one frame's payload from a blocking socket. Raises EOFError at the stream's end, and FrameError for a frame
    that is longer than ``limit``.
    """
    length = int.from_bytes(read_exactly(sock, HEADER_BYTES), "big")
    if length > limit:
        raise FrameError(f"a frame of {length} bytes is over the limit of {limit}")
    return read_exactly(sock, length)
