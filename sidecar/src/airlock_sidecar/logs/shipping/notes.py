"""What is remembered of a log's shipping, beside the log, so that a sidecar that was killed goes on where it was."""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec


class Note(msgspec.Struct, kw_only=True):
    """
    ``sent`` bytes of the local log are in the store (or given up: ``lost``). ``trying`` is set before a write leaves:
    up to where it would bring ``sent``, and what the segment ``number`` then begins with (``size``, ``digest``), by
    which a write that was not answered is told from one that never arrived.
    """

    sent: int = 0
    lost: int = 0
    trying: int = 0
    number: int = 0
    size: int = 0
    digest: str = ""

    def attempt(self, number: int, body: bytes, upto: int) -> None:
        """Notes what is about to be written."""
        self.number, self.size, self.digest, self.trying = number, len(body), digest(body), upto

    def arrived(self, found: bytes) -> bool:
        """Tells whether what was about to be written is in what the segment holds now."""
        return len(found) >= self.size and digest(memoryview(found)[: self.size]) == self.digest

    def settle(self) -> None:
        """What was tried is in the store."""
        self.sent, self.trying = max(self.sent, self.trying), 0


class Notes:
    """
    The file a note is kept in. Its name is hidden from Airflow's reader, which takes every file whose name begins with
    the log's for a part of it.
    """

    def __init__(self, log: Path) -> None:
        self._path = log.with_name(f".{log.name}.shipped")

    def read(self, log_bytes: int) -> Note:
        """Returns the note; an empty one where there is none, or where it is about a longer log than there is."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            note = msgspec.json.decode(self._path.read_bytes(), type=Note)
            if max(note.sent, note.trying) <= log_bytes:
                return note
        return Note()

    def write(self, note: Note) -> None:
        """Keeps it: the old or the new, whole."""
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_bytes(msgspec.json.encode(note))
        os.replace(new, self._path)


def digest(body: bytes | memoryview) -> str:
    """Returns what tells one beginning of an object from another."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
