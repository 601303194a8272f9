"""
The launcher: the first process of the container that runs user code.

It forks the runner, connects to the sidecar, forwards signals, reaps, and reports how the child ended. It uses only
the standard library of Python 3.10, so that it can be put into any image. It holds nothing that user code may not
have, except the nonce: it gets the nonce after the fork, when its child can no longer read its memory. It also runs on
Python 3.9, so that its child can say in the task's log what the image lacks.

The fork comes before the connection so that the child imports what it needs while the sidecar starts. The child waits
for its startup message, so no user code runs before the sidecar has accepted the launcher and stopped listening.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from airlock_runner import memory, orphans
from airlock_runner.link import NOTHING_ELSE, Link, LinkLost, Speaks, Streams
from airlock_wire import pod
from airlock_wire.process import kernel

#: What the child does: (log records, handoff, the bundle's root). Its frames come over the handoff socket.
Child = Callable[[int, int, str], NoReturn]

_OPTIONS = ("--socket-dir", "--bundle-root", "--grace-seconds")

_CONNECT_PAUSE_SECONDS = 0.003
_RETRY_SECONDS = 0.05


class Ended(NamedTuple):
    """How the child ended: an exit code or a signal, and whether the kernel killed it for memory."""

    code: int | None
    signal: int | None
    oom: bool


class Launcher:
    """
    Runs one launch, from the fork to the exit report. Single-threaded: one loop over a link, signals and deadlines.

    ``reconnects`` says that the child takes a fresh frames connection after the sidecar was lost. A child that cannot
    is stopped when the sidecar is lost, and its end is not reported, because it says nothing about the task.
    ``speaks`` says how the child speaks.
    """

    def __init__(
        self,
        socket_dir: str,
        bundle_root: str,
        grace_seconds: float,
        *,
        reconnects: bool = True,
        speaks: Speaks = NOTHING_ELSE,
    ) -> None:
        self._socket_dir = socket_dir
        self._bundle_root = bundle_root
        self._grace = grace_seconds
        self._reconnects = reconnects
        self._speaks = speaks
        self._streams = Streams()
        self._link: Link | None = None
        self._nonce = ""
        self._pid = 0
        self._ended: Ended | None = None
        #: Processes that the child left behind.
        self._leftovers = 0
        self._stranded = False
        self._vanished = False
        self._signalled = 0
        self._acknowledged = False
        #: The sidecar said that the task ended because this launcher was told to stop.
        self._interrupted = False
        self._deadlines: dict[str, float] = {}
        self._handoff, self._child_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        #: The child has not said yet that user code begins. Airflow's runner says it here, ours in its frames.
        self._awaits_beginning = True
        self._oom_kills = memory.oom_kills()

    def run(self, child: Child) -> int:
        """Forks the child and stays until its end is acknowledged; returns the launcher's exit code."""
        wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._fork(child, wake_write)
        # This comes before the hello: user code starts only after the hello, and must find a parent that it can
        # neither trace nor read, nor escape by a fork.
        kernel.hide()
        kernel.take_orphans()
        self._link = self._connect()
        if self._link is None:
            self._kill(signal.SIGKILL)
            return pod.EXIT_NEVER_CONNECTED
        self._link.hand_over(self._handoff)
        self._say(pod.FORKED)
        while True:
            if self._ended is not None and self._acknowledged:
                return self._exit_code(self._ended)
            if self._vanished:
                return pod.EXIT_SIDECAR_LOST
            self._wait(wake_read)
            self._reap()
            code = self._deadlines_passed()
            if code is not None:
                return code

    def _exit_code(self, ended: Ended) -> int:
        if ended.oom:
            return pod.EXIT_OOM
        return pod.EXIT_STOPPED if self._interrupted else pod.EXIT_OK

    def _fork(self, child: Child, wake: int) -> None:
        child_socket = self._child_socket
        launcher = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                kernel.end_with(launcher)
                if launcher != 1:
                    # In a pod the container's own settings say the same.
                    kernel.give_up_privileges()
                    # Another launch of the same user could else take this one's descriptors.
                    kernel.hide()
                os.setpgid(0, 0)
                self._handoff.close()
                child(self._streams.become_child(), child_socket.detach(), self._bundle_root)
            finally:
                os._exit(pod.CHILD_EXIT_BROKEN)
        # Both sides set the group, so that neither can signal it before it is there; a child that is gone has none.
        with contextlib.suppress(OSError):
            os.setpgid(self._pid, self._pid)
        child_socket.close()
        self._streams.become_parent()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, _noticed)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def _connect(self) -> Link | None:
        """
        Returns the first connection, tried until the sidecar listens; None if it never did, or after a signal to stop.
        """
        ends = time.monotonic() + pod.CONNECT_SECONDS
        while time.monotonic() < ends and not self._signalled:
            try:
                return Link.connect(self._socket_dir, self._streams, speaks=self._speaks)
            except LinkLost:
                time.sleep(_CONNECT_PAUSE_SECONDS)
        message = f"no sidecar listened in {self._socket_dir} for {pod.CONNECT_SECONDS:g} s"
        print(f"airlock-launcher: {'stopped' if self._signalled else message}", file=sys.stderr)  # noqa: T201 - no other way
        return None

    def _told_to_stop(self, number: int, _: FrameType | None) -> None:
        # Python runs this between two instructions of the loop, which the wakeup descriptor then wakes.
        if not self._signalled:
            self._signalled = number

    # --- one turn of the loop ---

    def _wait(self, wake: int) -> None:
        now = time.monotonic()
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        if self._link is not None:
            poll.register(self._link.control, select.POLLIN)
        elif now >= self._deadlines.get("retry", now + 1):
            self._reconnect()
            return
        if self._awaits_beginning:
            poll.register(self._handoff, select.POLLIN)
        # A signal may have come before the poll: its byte waits in the wakeup pipe, so nothing is missed.
        soonest = min(self._deadlines.values(), default=now + 60.0)
        ready = {fd for fd, _ in poll.poll(max(0.0, soonest - now) * 1000)}
        if wake in ready:
            os.read(wake, 4096)
            if self._signalled and "kill" not in self._deadlines and self._ended is None:
                self._tell_signalled()
        if self._awaits_beginning and self._handoff.fileno() in ready:
            self._hear_beginning()
        if self._link is not None and self._link.control.fileno() in ready:
            self._listen()

    def _hear_beginning(self) -> None:
        """Passes on, once, that user code begins; a child that ended says nothing more."""
        self._awaits_beginning = False
        with contextlib.suppress(OSError):
            if self._handoff.recv(1, socket.MSG_DONTWAIT) == pod.BEGINS_BYTE:
                self._say(pod.BEGINS)

    def _tell_signalled(self) -> None:
        """Tells the sidecar, then user code, so that a failure by the signal is not taken for the task's own."""
        now = time.monotonic()
        self._deadlines["forward"] = now + pod.SIGNAL_ACK_SECONDS
        self._deadlines["kill"] = now + max(1.0, self._grace - pod.KILL_BEFORE_GRACE_ENDS_SECONDS)
        self._say(pod.SIGNALLED, signal=self._signalled)

    def _listen(self) -> None:
        assert self._link is not None  # noqa: S101 - it was ready
        try:
            lines = self._link.hear()
        except LinkLost:
            self._lost()
            return
        for line in lines:
            self._heard(line)

    def _heard(self, line: dict[str, Any]) -> None:
        event, of = line["event"], line.get("of")
        if event == pod.NONCE:
            self._nonce = str(line.get("nonce", ""))
            self._say(pod.KEPT)
        elif event == pod.ACK and of == pod.SIGNALLED and "forward" in self._deadlines:
            self._deadlines["forward"] = 0.0
        elif event == pod.ACK and of == pod.EXITED:
            self._acknowledged = True
            self._interrupted = line.get("interrupted") is True
        elif event == pod.STOP and self._ended is None:
            self._kill(signal.SIGTERM)
            soon = time.monotonic() + pod.STOP_SECONDS
            self._deadlines["kill"] = min(self._deadlines.get("kill", soon), soon)

    def _reap(self) -> None:
        """Collects every ended process: as PID 1 the launcher is the parent of what user code left behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._pid:
                self._child_ended(status)

    def _child_ended(self, status: int) -> None:
        # A child ends when it loses the sidecar, and the launcher may not have noticed the loss yet.
        while not self._reconnects and self._link is not None and _readable(self._link.control):
            self._listen()
        signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        oom = signal_number == signal.SIGKILL and memory.oom_kills() > self._oom_kills
        self._ended = Ended(None if signal_number else os.WEXITSTATUS(status), signal_number, oom)
        # Whatever the child left would hold the streams open and outlive the task.
        orphans.settle()
        self._kill(signal.SIGKILL)
        self._leftovers = orphans.end()
        self._deadlines.pop("kill", None)
        self._deadlines.pop("forward", None)
        if self._stranded:
            self._deadlines["retry"] = time.monotonic()
            return
        self._deadlines["report"] = time.monotonic() + pod.EXIT_ACK_SECONDS
        self._say_ended(self._ended)

    def _say_ended(self, ended: Ended) -> None:
        self._say(pod.EXITED, left=self._leftovers, **ended._asdict())

    def _deadlines_passed(self) -> int | None:
        """Acts on the deadlines that have passed; returns the exit code if the launcher must give up, else None."""
        now = time.monotonic()
        if self._deadlines.get("forward", now + 1) <= now:
            del self._deadlines["forward"]
            self._kill(self._signalled)
        if self._deadlines.get("kill", now + 1) <= now:
            self._deadlines["kill"] = now + pod.STOP_SECONDS
            self._kill(signal.SIGKILL)
        if self._deadlines.get("lost", now + 1) <= now or self._deadlines.get("report", now + 1) <= now:
            self._kill(signal.SIGKILL)
            return pod.EXIT_SIDECAR_LOST
        return None

    def _kill(self, number: int) -> None:
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):
            return

    # --- losing the sidecar and reaching it again ---

    def _say(self, event: str, **fields: Any) -> None:
        if self._link is not None:
            try:
                self._link.say(event, **fields)
            except LinkLost:
                self._lost()

    def _lost(self) -> None:
        assert self._link is not None  # noqa: S101 - it was there to be lost
        self._link.close()
        self._link = None
        now = time.monotonic()
        self._deadlines["lost"] = now + pod.RECONNECT_SECONDS
        if self._reconnects or self._ended is not None:
            self._deadlines["retry"] = now + _RETRY_SECONDS
            return
        message = "the sidecar is gone, and this runner cannot go on with another: it is stopped"
        print(f"airlock-launcher: {message}", file=sys.stderr)  # noqa: T201 - there is nobody else to tell
        self._stranded = True
        self._kill(signal.SIGTERM)
        self._deadlines["kill"] = min(self._deadlines.get("kill", now + pod.STOP_SECONDS), now + pod.STOP_SECONDS)

    def _reconnect(self) -> None:
        try:
            link = Link.connect(self._socket_dir, self._streams, speaks=self._speaks, nonce=self._nonce, forked=True)
        except LinkLost:
            self._deadlines["retry"] = time.monotonic() + _RETRY_SECONDS
            return
        del self._deadlines["lost"], self._deadlines["retry"]
        if self._stranded:
            # The sidecar has the streams now, and so the last of the task's output. Without an exit report the owner
            # judges the launch, by our exit code.
            link.close()
            self._vanished = True
            return
        self._link = link
        link.hand_over(self._handoff)
        self._say(pod.FORKED)
        if self._signalled:
            self._say(pod.SIGNALLED, signal=self._signalled)
        if self._ended is not None:
            self._say_ended(self._ended)


def _noticed(_: int, __: FrameType | None) -> None:
    """Does nothing: SIGCHLD needs a handler, or it would not reach the wakeup descriptor."""


def _readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def main(
    argv: list[str],
    child: Child,
    *,
    program: str = "python -m airlock_runner",
    required: tuple[str, ...] = ("--socket-dir", "--bundle-root"),
    reconnects: bool = True,
    speaks: Speaks = NOTHING_ELSE,
) -> int:
    """
    Runs the command; returns the exit code. ``child`` runs in the forked process; ``reconnects`` and ``speaks`` are
    as in ``Launcher``.

    ``program`` is how this was called, for the usage, and ``required`` the options that must have a value.
    """
    options = dict.fromkeys(_OPTIONS, "") | {"--grace-seconds": str(pod.GRACE_SECONDS)}
    usage = f"usage: {program} {' '.join(f'{name} VALUE' for name in options)}"
    words = argv[1:]
    if words in (["-h"], ["--help"]):
        print(usage)  # noqa: T201 - this is what was asked for
        return 0
    if len(words) % 2 or not set(words[::2]) <= set(options):
        print(usage, file=sys.stderr)  # noqa: T201 - there is no log yet
        return pod.EXIT_USAGE
    options |= {words[at]: words[at + 1] for at in range(0, len(words), 2)}
    if not all(options[name] for name in required):
        print(f"{usage}\n{' and '.join(required)} must be given", file=sys.stderr)  # noqa: T201 - the same
        return pod.EXIT_USAGE
    folder, root, grace = (options[name] for name in _OPTIONS)
    launch = Launcher(folder, root, float(grace), reconnects=reconnects, speaks=speaks)
    return launch.run(child)
