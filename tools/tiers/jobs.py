"""
Runs commands as groups of processes: a stop sends what Ctrl-C sends, and ends all processes of a command. No other
module here runs processes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

#: How long a command may take to end after it was told to stop.
_STOP_SECONDS = 120.0


#: The exit code of a command that took too long, as ``timeout`` has it.
TOOK_TOO_LONG = 124


class Job:
    """A running command. Its output goes to this process's output, or into a file until ``output`` is called."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], quiet: bool = False, nice: bool = False
    ) -> None:
        self._output = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115 - closed with the job
        self._began = time.monotonic()
        words = ["nice", *command] if nice else list(command)
        # A shell ignores Ctrl-C in what it starts in its background, and what is ignored here would be ignored there.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._process = subprocess.Popen(
                words,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT if self._output else None,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.minutes = 0.0

    def wait(self, minutes: float) -> int:
        """
        Waits until the command has ended, or ends it after so many minutes; returns its exit code, 124 for the latter.
        """
        try:
            code = self._process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            self._end()
            code = TOOK_TOO_LONG
        self.minutes = (time.monotonic() - self._began) / 60
        return code

    def output(self) -> bytes:
        """Returns the output, if it was kept. Call it once."""
        if self._output is None:
            return b""
        with self._output as output:
            output.seek(0)
            return output.read()

    def stop(self) -> None:
        """Ends the command if it still runs, and drops its output."""
        self._end()
        if self._output is not None:
            self._output.close()

    def _end(self) -> None:
        """Sends what Ctrl-C sends, and waits; then kills what still runs."""
        for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            if self._process.poll() is not None:
                break
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue


def show(data: bytes) -> None:
    """Writes a command's output to this process's output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
