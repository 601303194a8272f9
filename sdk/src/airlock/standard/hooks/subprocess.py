"""Runs a command, with its output in the task's log."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from airlock.sdk.bases.hook import BaseHook


class SubprocessResult(NamedTuple):
    """How a command ended: its exit code, and the last line of its output."""

    exit_code: int
    output: str


@contextlib.contextmanager
def working_directory(cwd: str | None = None) -> Iterator[str]:
    """Gives the folder, or a temporary one that is removed afterwards."""
    if cwd is not None:
        yield cwd
        return
    with tempfile.TemporaryDirectory(prefix="airlocktmp") as folder:
        yield folder


class SubprocessHook(BaseHook):
    """Runs commands in process groups of their own."""

    def __init__(self, **kwargs: Any) -> None:
        """Has not started a command yet."""
        super().__init__(**kwargs)
        self.sub_process: subprocess.Popen[bytes] | None = None

    def run_command(
        self,
        command: list[str],
        env: dict[str, str] | None = None,
        output_encoding: str = "utf-8",
        cwd: str | None = None,
    ) -> SubprocessResult:
        """
        Runs a command to its end. Without ``env`` it has this process's environment; without ``cwd`` a temporary
        folder.
        """
        with working_directory(cwd) as folder:
            self.log.info("Running command: %s", command)
            process = self.sub_process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=os.environ if env is None else env,
                start_new_session=True,
            )
            self.log.info("Output:")
            line = ""
            # Not closed by `with`: that would wait, and a stop that is raised in here could not reach the command.
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for raw in process.stdout:
                line = raw.decode(output_encoding, errors="backslashreplace").rstrip()
                self.log.info("%s", line)
            code = process.wait()
            process.stdout.close()
            self.log.info("Command exited with return code %s", code)
        return SubprocessResult(exit_code=code, output=line)

    def send_sigterm(self) -> None:
        """Tells the command, and what it has started, to stop."""
        self.log.info("Sending SIGTERM signal to process group")
        if self.sub_process is not None and self.sub_process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.sub_process.pid, signal.SIGTERM)
