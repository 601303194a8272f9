"""
Shows lines while a launch runs. Showing a line never waits for its reader. A suspended terminal, a pipe that nobody
reads or a full disk does not delay a launch. It does not change how a command ends either.
"""

import os
import threading
from collections import deque

#: How many bytes a reader may be behind. Further lines are counted and not kept: the try's log has them.
MAX_BEHIND_BYTES = 32 * 1024 * 1024
#: How long ``close`` waits for a reader that does not read.
_STALL_SECONDS = 5.0


class Screen:
    """Writes lines to a descriptor, in a thread of its own. ``close`` comes last."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        #: Counts writes, which distinguishes a slow reader from one that does not read.
        self._progress = 0
        self._closing = self._reader_gone = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="screen", daemon=True)
        self._thread.start()

    def show(self, text: str) -> None:
        """Shows a line. Returns at once; may be called from any thread."""
        line = text.encode("utf-8", "backslashreplace") + b"\n"
        with self._changed:
            if self._reader_gone:
                return
            if self._bytes + len(line) > MAX_BEHIND_BYTES:
                self._dropped += 1
                return
            if self._dropped:
                self._add(f"... {self._dropped} lines are not shown: they are in the log\n".encode())
                self._dropped = 0
            self._add(line)
            self._changed.notify_all()

    def close(self) -> None:
        """Waits until everything is shown, or until the reader has not read for a while."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            while self._thread.is_alive() and not self._reader_gone:
                before = self._progress
                self._changed.wait_for(lambda: self._reader_gone or self._progress != before, _STALL_SECONDS)  # noqa: B023 - called in this turn
                if self._progress == before:
                    return

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    break
                piece = b"".join(self._lines)
                self._lines.clear()
                self._bytes = 0
            if not self._written(piece):
                break
        with self._changed:
            self._reader_gone = True
            self._changed.notify_all()

    def _written(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view[:65536]) :]
            except OSError:
                # The descriptor is closed, or has no room: nobody sees these lines, and the launch goes on.
                return False
            with self._changed:
                self._progress += 1
                self._changed.notify_all()
        return True
