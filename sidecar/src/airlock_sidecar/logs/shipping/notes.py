"""Notes beside the log how far it is shipped, so that a restarted sidecar continues from there."""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec


class Note(msgspec.Struct, kw_only=True):
    """
    The first ``sent`` bytes of the local log are in the store, or were given up (``lost``). ``trying`` is set before a
    write: the value of ``sent`` after it, and what the segment ``number`` then begins with (``size``, ``digest``).
    They tell a write that was not answered from a write that never arrived.
    """

    sent: int = 0
    lost: int = 0
    trying: int = 0
    number: int = 0
    size: int = 0
    digest: str = ""

    def attempt(self, number: int, body: bytes, upto: int) -> None:
        """Notes the write that comes next."""
        self.number, self.size, self.digest, self.trying = number, len(body), digest(body), upto

    def arrived(self, body: bytes) -> bool:
        """Tells whether the noted write has reached the segment."""
        return len(body) >= self.size and digest(memoryview(body)[: self.size]) == self.digest

    def settle(self) -> None:
        """Notes that the noted write is in the store."""
        self.sent, self.trying = max(self.sent, self.trying), 0


class Notes:
    """
    The file of a note. Its name does not begin with the log's name: Airflow's reader takes each file whose name does
    for a part of the log.
    """

    def __init__(self, log: Path) -> None:
        self._path = log.with_name(f".{log.name}.shipped")

    def read(self, log_bytes: int) -> Note:
        """Returns the note; an empty one if the file does not exist, or if the log is shorter than the note says."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            note = msgspec.json.decode(self._path.read_bytes(), type=Note)
            if max(note.sent, note.trying) <= log_bytes:
                return note
        return Note()

    def write(self, note: Note) -> None:
        """Writes the note; a kill leaves the old or the new one, whole."""
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_bytes(msgspec.json.encode(note))
        os.replace(new, self._path)


def digest(body: bytes | memoryview) -> str:
    """Returns a digest that identifies the beginning of an object."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
