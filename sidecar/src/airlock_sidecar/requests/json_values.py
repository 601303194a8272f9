"""
XComs that travel as the JSON text that the server stores, between a sidecar and a runner that agreed on it. Pure.

The text is in msgpack's binary type, which no other message has. Nothing here reads it: the server checks what it
stores, and the runner what it was sent.
"""

from typing import Any, NamedTuple

import msgspec

from airlock_sidecar.errors import NotAllowed
from airlock_sidecar.requests import weight
from airlock_sidecar.requests.bulk import MOST_MSGPACK_BYTES
from airlock_wire.protocol import frames
from airlock_wire.protocol.messages import XComResult

#: Below that a copy costs less than another call of the system.
_LARGE_BYTES = 64 * 1024
#: The first byte of msgpack's binary type, and how many bytes of length follow it.
_BINARY = {0xC4: 1, 0xC5: 2, 0xC6: 4}


class JsonText(NamedTuple):
    """JSON text, as the body of a request takes it."""

    data: bytes | memoryview


class XComText(NamedTuple):
    """The body of an ``XComResult``: an XCom's JSON text, which is sent as it is."""

    key: str
    text: memoryview

    def frame(self, request_id: int) -> tuple[bytes | memoryview, ...]:
        """Returns the frame that answers a request with it, in pieces if the text is large."""
        fields = {"type": XComResult.__name__, "key": self.key}
        pieces = frames.around(request_id, fields, "value", self.text)
        return pieces if len(self.text) > _LARGE_BYTES else (b"".join(pieces),)


class _XCom(msgspec.Struct):
    key: str
    value: msgspec.Raw


_xcom = msgspec.json.Decoder(_XCom)


def text_of(value: Any) -> JsonText:
    """Returns the text in an XCom of the runner; ``value`` may be its msgpack. Raises NotAllowed for another type."""
    if isinstance(value, bytes):
        return JsonText(value)
    if isinstance(value, msgspec.Raw):
        data = memoryview(value)
        width = _BINARY.get(data[0])
        if width is not None and int.from_bytes(data[1 : 1 + width], "big") == len(data) - 1 - width:
            return JsonText(data[1 + width :])
    raise NotAllowed("not JSON", "SetXCom: this runner agreed to send values as JSON text, in the binary type")


def reply(answer: bytes) -> XComText:
    """
    Returns the XCom in the server's answer. Raises NotAllowed if it is too large, and msgspec.MsgspecError for another
    answer.
    """
    xcom = _xcom.decode(answer)
    text = memoryview(xcom.value)
    if len(text) > MOST_MSGPACK_BYTES:
        raise weight.too_large("the value")
    return XComText(xcom.key, text)
