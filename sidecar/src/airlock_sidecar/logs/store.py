"""
Writes log lines: appends them to the try's file below the log folder, and to the sidecar's own stdout. If an object
store is set, a shipper reads the lines from the file.

Each folder of the path is opened from the one above it, and links are not followed. Otherwise whoever may write into
one of the folders could make this process, which may be root, append to any file.

A full disk does not end a task: the bytes that the file cannot take are counted, and stdout still gets them. If nobody
reads the file, its oldest part is freed as it grows.
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
    The log of one try. Writing blocks while the disk or the reader of stdout blocks. The runner then has to wait, and
    nothing is dropped.
    """

    def __init__(self, folder: str, path: str, keep_bytes: int = 0) -> None:
        """
        ``path`` is relative to ``folder``. ``keep_bytes`` is how much of the file stays on the disk, 0 for all of it.
        Raises OSError if the file cannot be opened without following a link.
        """
        self.file = Path(folder, path)
        Path(folder).mkdir(parents=True, exist_ok=True)
        # Launches of one try append to one file, also from two pods that share a volume.
        self._fd = _open_below(folder, path)
        self._keep = keep_bytes
        self._size = os.fstat(self._fd).st_size
        self._freed = 0
        #: How many bytes the file could not take, and whether it ends in the middle of a line because of that.
        self._missing = 0
        self._torn = False
        self._stdout = True
        #: Copies the file into an object store; None if no store is set.
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
                # The reader of our stdout is gone or has no room. The file has everything, so the task goes on.
                self._stdout = False

    def wait_for_room(self, going: Callable[[], bool]) -> None:
        """Waits while the log is too far ahead of its store and ``going()`` is true."""
        if self.shipper is not None:
            self.shipper.wait_for_room(going)

    def finish(self, *, hurried: bool) -> int:
        """Waits, within a bound, until the store has everything; returns how many bytes it lacks."""
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
        """Frees the oldest half of the file. If the file system cannot do that, the file starts anew."""
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
        # Without O_NONBLOCK a named pipe in the file's place would block the start.
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
