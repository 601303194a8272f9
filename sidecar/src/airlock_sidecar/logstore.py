"""Where log lines go: the try's file below the log store, appended to, and the sidecar's own stdout."""

import os
from pathlib import Path


class LogStore:
    """
    One try's log. Writing blocks where the disk or the reader of stdout blocks; that is what pushes back on the
    runner, so that nothing is dropped.
    """

    def __init__(self, folder: str, path: str) -> None:
        file = Path(folder, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._stdout = True

    def append(self, lines: bytes) -> None:
        """Adds whole lines."""
        _write_all(self._fd, lines)
        if self._stdout:
            try:
                _write_all(1, lines)
            except BrokenPipeError:
                # Whoever read our stdout went away. The file has everything, so this is no reason to stop a task.
                self._stdout = False


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
