"""
Processes that a warm parent forked for this one (``airlock_wire.process.forking``): they start in milliseconds, and are
this process's children as if it had started them.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from airlock_server.launching.local import leftovers

_ANSWER_SECONDS = 30.0


def is_stopped(pid: int) -> bool:
    """Tells whether a signal has suspended a process."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state == "T"


class Process(Protocol):
    """What a launch needs of a process: a part of ``subprocess.Popen``."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Returns the exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; returns the exit code."""

    def kill(self) -> None:
        """Kills it."""

    def send_signal(self, sig: int) -> None:
        """Sends it a signal."""


class Forked:
    """A process that a warm parent forked. Several threads may use it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Returns the exit code, None while it runs."""
        with self._lock:
            if self.returncode is None:
                self._reap(os.WNOHANG)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end, which ``timeout`` does not limit; returns the exit code."""
        del timeout
        # Not under the lock: a signal must reach it meanwhile. Its number stays its own until it is reaped.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        while (code := self.poll()) is None:
            pass
        return code

    def kill(self) -> None:
        """Kills it."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:
            # Somebody else has reaped it, and how it ended is lost.
            self.returncode = -1
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)


class WarmParent:
    """
    A warm parent's process. ``uid`` is its user and its children's, None for the caller's own. Its requests are one
    after the other.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], uid: int | None = None) -> None:
        """Starts it, which takes a while; the first request waits for that. Raises OSError."""
        self.uid = uid
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_ANSWER_SECONDS)
        with theirs:
            self._process = leftovers.start(
                lambda: subprocess.Popen(
                    [*command, str(theirs.fileno()), str(os.getpid())],
                    env=dict(environ),
                    cwd="/" if uid is not None else None,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    user=uid,
                    group=uid,
                    extra_groups=[] if uid is not None else None,
                )
            )

    @property
    def alive(self) -> bool:
        """Whether it runs. A child of the same user may have stopped it."""
        return self._process.poll() is None and not is_stopped(self._process.pid)

    def fork(self, request: bytes, descriptors: Sequence[int] = ()) -> Forked:
        """Returns a new child. Raises OSError if the parent is gone, or does not answer."""
        with self._lock:
            try:
                socket.send_fds(self._socket, [request], list(descriptors))
                answer = self._socket.recv(4096)
            except OSError:
                # An answer that comes late would be taken for that to the next request.
                self._process.kill()
                raise
        if not answer:
            raise ConnectionResetError("the warm parent of launches is gone")
        pid = int(json.loads(answer)["pid"])
        if not pid:
            raise ChildProcessError("the warm parent could not fork: too many processes, or no memory")
        return Forked(pid)

    def close(self) -> None:
        """Ends it. Its children go on."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        leftovers.forget(self._process)
