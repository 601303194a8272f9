"""
Keeps what must survive a restart of the sidecar. A kill at any instant leaves the old content or the new, whole.

One file of two slots written in turn: number, length, checksum, content. Reading takes the valid slot of the
higher number. It needs no rename, so the file may be a descriptor without a name. On a laptop it is a memfd that the
parent holds: user code of the same user could read a folder.
"""

import hashlib
import os
import zlib
from typing import Any

import msgspec

from airlock_sidecar.state.stops import Stop
from airlock_wire.options import TaskOptions
from airlock_wire.record import Exit
from airlock_wire.workload import TaskInstanceRef

_SLOT_BYTES = 8 * 1024 * 1024
_HEADER_BYTES = 16


class Terminal(msgspec.Struct, kw_only=True):
    """
    The task's terminal state. ``sending`` is set before the first byte leaves, so a replay knows that it may have
    arrived. ``acknowledged`` is set once the server has it. ``dropped`` is set if it is not sent: the launch was
    superseded, or the runner had been told to stop before (``withheld``).
    """

    digest: str
    state: str
    payload: dict[str, Any]
    judged: bool = False
    sending: bool = False
    acknowledged: bool = False
    dropped: bool = False
    withheld: bool = False


class Memory(msgspec.Struct, kw_only=True):
    """The content of the journal. ``in_flight`` is the digest of an unanswered request that changes something."""

    token: str = ""
    task_instance: TaskInstanceRef | None = None
    pid: int = 0
    starts: int = 0
    nonce: str = ""
    api_version: str = ""
    json_values: bool = False
    clears_xcoms: bool = False
    sealed: bool = False
    startup: dict[str, Any] | None = None
    masks: list[str] = []
    in_flight: str = ""
    terminal: Terminal | None = None
    parsed: bool = False
    signalled: int = 0
    exit: Exit | None = None
    stopped: Stop = Stop.NOT
    stopped_message: str = ""
    options: TaskOptions | None = None
    #: The seconds that count for the launch's limit, as they were last noted, and whether user code had begun by then.
    used_seconds: float = 0.0
    user_code_begun: bool = False
    refusals: dict[str, int] = {}
    timeline: dict[str, float] = {}


class Journal:
    """The memory and its file. Not thread-safe by itself: ``launch.Launch`` holds the lock."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._decoder = msgspec.json.Decoder(Memory)
        self._number, self.memory = self._read()

    @classmethod
    def open(cls, path: str) -> "Journal":
        """Returns the journal in a file of its own, made if it is not there."""
        return cls(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def save(self) -> None:
        """Writes what is in ``memory`` now. Raises ValueError when it is too large to be remembered."""
        content = msgspec.json.encode(self.memory)
        if len(content) > _SLOT_BYTES - _HEADER_BYTES:
            raise ValueError(f"{len(content)} bytes are too many to remember")
        self._number += 1
        header = (
            self._number.to_bytes(8, "big") + len(content).to_bytes(4, "big") + zlib.crc32(content).to_bytes(4, "big")
        )
        os.pwrite(self._fd, header + content, (self._number % 2) * _SLOT_BYTES)

    def _read(self) -> tuple[int, Memory]:
        best, memory = 0, Memory()
        for slot in (0, 1):
            header = os.pread(self._fd, _HEADER_BYTES, slot * _SLOT_BYTES)
            if len(header) < _HEADER_BYTES:
                continue
            number, length = int.from_bytes(header[:8], "big"), int.from_bytes(header[8:12], "big")
            if number <= best or length > _SLOT_BYTES - _HEADER_BYTES:
                continue
            content = os.pread(self._fd, length, slot * _SLOT_BYTES + _HEADER_BYTES)
            if zlib.crc32(content).to_bytes(4, "big") == header[12:16]:
                best, memory = number, self._decoder.decode(content)
        return best, memory


def digest(body: bytes | msgspec.Raw) -> str:
    """Returns a digest that identifies a request across a restart."""
    # Most processors have instructions for this one: it takes half of the time of blake2b for 10 MB.
    return hashlib.sha256(memoryview(body)).hexdigest()
