"""
Where log lines go: the try's file below the log folder, appended to, and the sidecar's own stdout. A shipper, where an
object store is set, takes the file's lines from there.

Each folder of the path is opened from the one above it and no link is followed: whoever may write into a folder on the
way could otherwise have this process, which may be root, append to a file of their choice.

A disk that is full ends no task: what the file cannot take is counted, and stdout still gets it. Where nobody reads the
file, its oldest part is given back to the disk as it grows.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from airlock_sidecar.logs import holes

if TYPE_CHECKING:
    from airlock_sidecar.logs.shipping.shipper import Shipper


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class LogStore:
    """
    One try's log. Writing blocks where the disk or the reader of stdout blocks; that is what pushes back on the
    runner, so that nothing is dropped.
    """

    def __init__(self, folder: str, path: str, keep_bytes: int = 0) -> None:
        """
        ``path`` is relative to ``folder``. ``keep_bytes`` is how much of the file stays on the disk, 0 for all of it.
        Raises OSError where the file cannot be opened without a link.
        """
        self.file = Path(folder, path)
        Path(folder).mkdir(parents=True, exist_ok=True)
        # Launches of one try append to one file, also from two pods that share a volume.
        self._fd = _open_below(folder, path)
        self._keep = keep_bytes
        self._size = os.fstat(self._fd).st_size
        self._freed = 0
        #: Bytes that the file could not take, and whether it ends within a line because of that.
        self._missing = 0
        self._torn = False
        self._stdout = True
        #: Brings the file into an object store; None where none is set.
        self.shipper: Shipper | None = None

    def append(self, lines: bytes) -> None:
        """Adds whole lines."""
        self._keep_lines(lines)
        if self.shipper is not None:
            self.shipper.wrote()
        if self._stdout:
            try:
                _write_all(1, lines)
            except OSError:
                # Whoever read our stdout went away, or has no room. The file has everything, so the task goes on.
                self._stdout = False

    def wait_for_room(self, going: Callable[[], bool]) -> None:
        """Waits where the log is too far ahead of its store, while ``going()``."""
        if self.shipper is not None:
            self.shipper.wait_for_room(going)

    def finish(self, *, hurried: bool) -> int:
        """Waits, within a bound, for the store to have everything; how many bytes it lacks."""
        return self._missing + (0 if self.shipper is None else self.shipper.finish(hurried=hurried))

    def _keep_lines(self, lines: bytes) -> None:
        before = self._size
        try:
            for data in (b"\n", lines) if self._torn else (lines,):
                view = memoryview(data)
                while view:
                    count = os.write(self._fd, view)
                    self._size += count
                    view = view[count:]
            self._torn = False
        except OSError:
            self._torn = self._torn or self._size > before
            self._missing += len(lines)
        if self._keep and self._size - self._freed > self._keep:
            self._give_back()

    def _give_back(self) -> None:
        """Frees the oldest half of what is kept. Where the file system cannot do that, the file begins anew."""
        end = self._size - self._keep // 2
        if holes.punch(self._fd, self._freed, end - self._freed):
            self._freed = end
        else:
            os.ftruncate(self._fd, 0)
            self._size = self._freed = 0


def _open_below(folder: str, path: str) -> int:
    """Returns the try's file, opened to append to. Folders that are missing are made."""
    *folders, name = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in (*folders, name)):
        raise OSError(f"the log's path {path!a} must be relative, without empty parts, '.' or '..'")
    at = os.open(folder, _FOLDER)
    try:
        for part in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=at)
            below = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        # Without O_NONBLOCK a named pipe in the file's place would hold the start up.
        fd = os.open(name, _FILE, 0o640, dir_fd=at)
    finally:
        os.close(at)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(fd)
        raise OSError(f"the log's file {path!a} is not a file of its own: remove it, or the link to it")
    os.set_blocking(fd, True)
    return fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
