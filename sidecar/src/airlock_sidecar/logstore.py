"""
Where log lines go: the try's file below the log folder, appended to, and the sidecar's own stdout. A shipper, where an
object store is set, takes the file's lines from there.

Each folder of the path is opened from the one above it and no link is followed: whoever may write into a folder on the
way could otherwise have this process, which may be root, append to a file of their choice.
"""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airlock_sidecar.shipping.shipper import Shipper


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class LogStore:
    """
    One try's log. Writing blocks where the disk or the reader of stdout blocks; that is what pushes back on the
    runner, so that nothing is dropped.
    """

    def __init__(self, folder: str, path: str) -> None:
        """``path`` is relative to ``folder``. Raises OSError where the file cannot be opened without a link."""
        self.file = Path(folder, path)
        Path(folder).mkdir(parents=True, exist_ok=True)
        # Launches of one try append to one file, also from two pods that share a volume.
        self._fd = _open_below(folder, path)
        self._stdout = True
        #: Brings the file into an object store; None where none is set.
        self.shipper: Shipper | None = None

    def append(self, lines: bytes) -> None:
        """Adds whole lines."""
        _write_all(self._fd, lines)
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
        return 0 if self.shipper is None else self.shipper.finish(hurried=hurried)


def _open_below(folder: str, path: str) -> int:
    """The try's file, opened to append to. Folders that are missing are made."""
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
