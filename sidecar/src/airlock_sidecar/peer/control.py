"""
The control channel: the launcher reports on the child and is told what to do with it.
"""

import socket
import threading
from collections.abc import Callable
from typing import Any

from airlock_wire import pod
from airlock_wire.record import Exit

_LAST_SIGNAL = 64


class Control:
    """The control connection of one launcher. ``on_line`` is called with each line, and once with None at the end."""

    def __init__(self, sock: socket.socket, on_line: Callable[[dict[str, Any] | None], None]) -> None:
        self._socket = sock
        self._on_line = on_line
        threading.Thread(target=self._read, name="control", daemon=True).start()

    def say(self, event: str, **fields: Any) -> None:
        """Sends a line. A launcher that is gone is noticed on reading, so this raises nothing."""
        try:
            self._socket.sendall(pod.line(event, **fields))
        except OSError:
            return

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                piece = self._socket.recv(pod.MAX_CONTROL_LINE_BYTES)
            except OSError:
                piece = b""
            if not piece or len(buffer) + len(piece) > 4 * pod.MAX_CONTROL_LINE_BYTES:
                self._on_line(None)
                return
            *lines, buffer = (buffer + piece).split(b"\n")
            for line in lines:
                try:
                    self._on_line(pod.parse_line(line))
                except ValueError:
                    self._on_line(None)
                    return


def exit_of(report: dict[str, Any]) -> Exit:
    """Returns the exit in a launcher's report; leaves out what is not an exit code or a signal's number."""
    return Exit(
        code=_number(report.get("code"), 0, 255),
        signal=signal_of(report),
        oom=report.get("oom") is True,
    )


def signal_of(line: dict[str, Any]) -> int | None:
    """Returns the number of the signal in a control line, None if the line does not name a signal."""
    return _number(line.get("signal"), 1, _LAST_SIGNAL)


def _number(value: Any, least: int, most: int) -> int | None:
    return value if type(value) is int and least <= value <= most else None
