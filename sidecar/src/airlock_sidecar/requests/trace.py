"""Shows frames to a person who asks for it: as a line each without values, or whole in a file."""

import os
import time

from airlock_sidecar.settings import Logging
from airlock_wire.protocol import frames


class Trace:
    """Prints and keeps frames, as the settings say; by default neither."""

    def __init__(self, settings: Logging) -> None:
        self._say = settings.frames
        self._file = -1
        if settings.capture_file:
            self._file = os.open(settings.capture_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def say(self, way: str, request_id: int, kind: str, size: int, fields: tuple[str, ...] = ()) -> None:
        """Prints a line on stderr: direction, id, type, size and the names of the fields."""
        if self._say:
            line = f"{time.time():.6f} frame {way} id={request_id} type={kind} bytes={size} fields={','.join(fields)}\n"
            os.write(2, line.encode())

    def keep(self, payload: bytes) -> None:
        """Appends a frame's payload to the capture, with its length before it."""
        if self._file >= 0:
            os.write(self._file, len(payload).to_bytes(frames.HEADER_BYTES, "big") + payload)

    def keep_answer(self, pieces: tuple[bytes | memoryview, ...]) -> None:
        """Appends a frame that is whole, in pieces."""
        if self._file >= 0:
            os.write(self._file, b"".join(pieces))
