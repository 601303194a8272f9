"""
A file of keys, 64 random bytes each, one after the other: the first is used for what is new, all for what is old.

It is replaced as a whole, so a reader and a kill meet either the old file or the new one.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from airlock_server.keys.tokens import KEY_BYTES

Read = Callable[[], bytes]


class KeyFile:
    """The keys as they were when the file was read last. ``read`` checks the file and returns its bytes."""

    def __init__(self, path: Path, read: Read) -> None:
        self._path = path
        self._read = read
        read()  # It makes the file if that is not there.
        # Taken before the keys are read: a change in between is then seen at the next look.
        self._stamp = _stamp(path)
        self.keys = split(read())

    def reread(self) -> list[bytes] | None:
        """Returns the keys if the file has changed, else None, also if it is gone. Raises what ``read`` raises."""
        stamp = _stamp(self._path)
        if stamp is None or stamp == self._stamp:
            return None
        self.keys = split(self._read())
        self._stamp = stamp
        return self.keys


def split(data: bytes) -> list[bytes]:
    """Returns the single keys."""
    return [data[start : start + KEY_BYTES] for start in range(0, len(data), KEY_BYTES)]


def fingerprint(key: bytes) -> str:
    """Returns a name of a key that people can compare; it tells nothing of the key."""
    return hashlib.blake2b(key, digest_size=6, person=b"airlock-key-name").hexdigest()


def prepend(path: Path) -> None:
    """Puts a new key before those that a file has; raises OSError."""
    with _locked(path):
        _replace(path, secrets.token_bytes(KEY_BYTES) + path.read_bytes())


def change(path: Path, work: Callable[[bytes], bytes]) -> None:
    """Replaces a file's content by what ``work`` makes of it; raises OSError."""
    with _locked(path):
        _replace(path, work(path.read_bytes()))


def keep_first(path: Path) -> None:
    """Drops every key of a file but the first; raises OSError."""
    with _locked(path):
        _replace(path, path.read_bytes()[:KEY_BYTES])


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps two rotations of one file apart, by a lock on its folder."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, data: bytes) -> None:
    status = path.stat()
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
