"""
Reads frames from a peer that may be hostile. It trusts no length, and allocates nothing for bytes that did not come.

* A frame over the cap is discarded as it streams and reported by its id, so that it can be answered.
* A frame over ``DISCARD_BYTES``, or half a frame and then silence, ends the channel.
* Memory grows with the bytes that arrived, never with the announced length.
"""

import select
import socket
from typing import NamedTuple

from airlock_sidecar.errors import RunnerBroke
from airlock_wire.protocol import frames

#: The longest frame that is still discarded and answered; past it the runner is broken or hostile.
DISCARD_BYTES = 256 * 1024 * 1024
#: How long the next byte of an unfinished frame may take.
SILENCE_SECONDS = 30.0

_CHUNK_BYTES = 65536


class Frame(NamedTuple):
    """The payload of a frame; of a frame that was too long only its first bytes and its length."""

    payload: bytes
    too_long: int = 0


class Intake:
    """The reading side of the frames channel."""

    def __init__(self, sock: socket.socket, max_frame_bytes: int, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._socket = sock
        self._cap = max_frame_bytes
        self._silence = silence_seconds

    def next(self) -> Frame | None:
        """Returns the next frame; None at the end of the stream between two frames. Raises RunnerBroke."""
        first = self._receive(frames.HEADER_BYTES, begun=False)
        if first is None:
            return None
        header = bytearray(first)
        while len(header) < frames.HEADER_BYTES:
            header += self._more(frames.HEADER_BYTES - len(header))
        length = int.from_bytes(header, "big")
        if length > DISCARD_BYTES:
            raise RunnerBroke(f"a frame of {length} bytes, over {DISCARD_BYTES}")
        if length > self._cap:
            return self._discard(length)
        payload = bytearray()
        while len(payload) < length:
            payload += self._more(min(length - len(payload), _CHUNK_BYTES))
        return Frame(bytes(payload))

    def _discard(self, length: int) -> Frame:
        head, bytes_left = bytearray(), length
        while bytes_left:
            piece = self._more(min(bytes_left, _CHUNK_BYTES))
            bytes_left -= len(piece)
            if len(head) < _CHUNK_BYTES:
                head += piece
        return Frame(bytes(head[:_CHUNK_BYTES]), too_long=length)

    def _more(self, count: int) -> bytes:
        piece = self._receive(count, begun=True)
        if piece is None:
            raise RunnerBroke("the stream ended inside a frame")
        return piece

    def _receive(self, count: int, *, begun: bool) -> bytes | None:
        if begun and not select.select([self._socket], [], [], self._silence)[0]:
            raise RunnerBroke(f"half a frame, then {self._silence:g} s of silence")
        try:
            return self._socket.recv(count) or None
        except ConnectionError:
            return None
