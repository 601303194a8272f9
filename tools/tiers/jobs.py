"""
Commands as groups of processes: each can be sent what Ctrl-C sends and then ends all that it started. Nothing else here
knows how processes are run.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

#: How long a command that was told to stop has to end what it started.
_STOP_SECONDS = 120.0


#: The exit code of a command that took too long, as ``timeout`` has it.
TOOK_TOO_LONG = 124


class Job:
    """A command under way. What it says goes to this process's output, or into a file until ``output`` is asked."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], quiet: bool = False, nice: bool = False
    ) -> None:
        self._kept = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115 - closed with the job
        self._began = time.monotonic()
        words = ["nice", *command] if nice else list(command)
        # A shell ignores Ctrl-C in what it starts in its background, and what is ignored here would be ignored there.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._process = subprocess.Popen(
                words,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=self._kept,
                stderr=subprocess.STDOUT if self._kept else None,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.minutes = 0.0

    def wait(self, minutes: float) -> int:
        """Stays until it has ended, or is ended because it took so many minutes; its exit code, 124 for the latter."""
        try:
            code = self._process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            self._end()
            code = TOOK_TOO_LONG
        self.minutes = (time.monotonic() - self._began) / 60
        return code

    def output(self) -> bytes:
        """What it has said, where that was kept; to be asked once."""
        if self._kept is None:
            return b""
        with self._kept as kept:
            kept.seek(0)
            return kept.read()

    def stop(self) -> None:
        """Ends it where it has not ended, and forgets what it said."""
        self._end()
        if self._kept is not None:
            self._kept.close()

    def _end(self) -> None:
        """Sends what Ctrl-C sends, and waits; what does not end then is killed."""
        for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            if self._process.poll() is not None:
                break
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue


def show(data: bytes) -> None:
    """Puts a command's output on this one's."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
