"""
Where log lines go: the try's file below the log folder, appended to, and the sidecar's own stdout. A shipper, where an
object store is set, takes the file's lines from there.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airlock_sidecar.shipping.shipper import Shipper


class LogStore:
    """
    One try's log. Writing blocks where the disk or the reader of stdout blocks; that is what pushes back on the
    runner, so that nothing is dropped.
    """

    def __init__(self, folder: str, path: str) -> None:
        self.file = Path(folder, path)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # Launches of one try append to one file, also from two pods that share a volume.
        self._fd = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
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
            except BrokenPipeError:
                # Whoever read our stdout went away. The file has everything, so this is no reason to stop a task.
                self._stdout = False

    def wait_for_room(self, going: Callable[[], bool]) -> None:
        """Waits where the log is too far ahead of its store, while ``going()``."""
        if self.shipper is not None:
            self.shipper.wait_for_room(going)

    def finish(self, *, hurried: bool) -> int:
        """Waits, within a bound, for the store to have everything; how many bytes it lacks."""
        return 0 if self.shipper is None else self.shipper.finish(hurried=hurried)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
