"""
Runs a launch as two processes of this machine, as a kubelet runs a pod's two containers.

The sidecar gets the token through a pipe, never by argument or environment. It keeps its secret state in a memfd that
only this process and the sidecar hold. If it dies while the launcher lives, it is started again, with a growing pause.
It gets SIGTERM only after the launcher has ended, and leaves its record.

No process of a launch outlives it: processes that user code left behind are ended with it. The launch itself has time
limits: a suspended process of it is continued, and one that still does not end is killed.
"""

import math
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from airlock_server.launching.local import leftovers, users
from airlock_server.launching.local.forks import Process, is_stopped
from airlock_server.launching.local.warm import Warm
from airlock_wire import pod
from airlock_wire import sidecar_settings as names
from airlock_wire.pod import BEGUN_FILE
from airlock_wire.process import backoff, forking
from airlock_wire.record import Record, decode
from airlock_wire.workload import Workload

#: The variables of the caller's environment that user code sees, beside those given by name (docs/laptop.md).
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHASHSEED", "SSL_CERT_FILE", "SSL_CERT_DIR")

_RESTART_FIRST_SECONDS = 0.05
_RESTART_LONGEST_SECONDS = 5.0
#: How long a sidecar may take to write its record after the launcher ended; it waits for the server that long.
_RECORD_SECONDS = 60.0
#: The same, if the command was told to end at once.
_HURRIED_SECONDS = 5.0
#: Between a sidecar's record and its launcher's end. The launcher has its acknowledgement with the record.
_AFTER_RECORD_SECONDS = 5.0
#: How long after its grace period a launcher may take to end.
_AFTER_GRACE_SECONDS = 5.0
#: A sidecar's exit code for wrong settings: another start would end in the same way.
_SET_UP_WRONGLY = 2


#: MiB of a parsed file's log that stay on the disk.
_PARSE_LOG_MIB = 64
#: The sidecar's record, in its state folder.
RECORD_FILE = "record.json"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of this machine's launches, the same for every launch of a command."""

    api_url: str
    log_dir: Path
    bundle_root: Path
    runner_python: str
    #: As in ``isolation.Isolation``.
    runner_uids: Sequence[int]
    heartbeat_seconds: float
    max_frame_bytes: int
    grace_seconds: float
    log_frames: bool
    capture_file: str
    #: The environment variables that user code is given, by name and value.
    variables: Mapping[str, str]


class SetUpWrongly(Exception):
    """The sidecar refused its settings, which is a fault of ours or of a setting; its message is on stderr."""


class Containers:
    """One launch. Use it in a ``with``: at the end of the block no process of it is left."""

    def __init__(
        self, place: Place, work: Workload, token: str, environ: Mapping[str, str], warm: Warm | None = None
    ) -> None:
        """Prepares a launch; with ``warm`` its processes are forked and not started anew."""
        self._place = place
        self._warm = warm
        self._token = token
        self._environ = environ
        lease = warm is None and len(place.runner_uids) > 1
        self._lease = users.lease(place.runner_uids) if lease else None
        self._uid = self._lease.uid if self._lease else place.runner_uids[0] if place.runner_uids else None
        if warm is not None:
            self._uid = warm.runner.parent.uid
        self._children = leftovers.enter()
        self._kill_at: float | None = None
        self._hurried = False
        self._folder = _scratch()
        self._state = os.memfd_create("airlock-state", os.MFD_CLOEXEC)
        for name, mode in (("socket", 0o711), ("state", 0o700)):
            (self._folder / name).mkdir(mode=mode)
        (self._folder / "state" / "workload.json").write_bytes(msgspec.json.encode(work))
        self.output = os.pipe()
        self.sidecar: Process | None = None
        self.launcher: Process | None = None
        self._output_ended = False

    def __enter__(self) -> Self:
        try:
            self._start_sidecar()
            self._start_launcher()
        except OSError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.launcher, self.sidecar):
            if process is not None:
                if process.poll() is None:
                    process.kill()
                    process.wait()
                leftovers.forget(process)
        self._sweep()
        self.end_output()
        for fd in (self._state, self.output[0]):
            os.close(fd)
        shutil.rmtree(self._folder, ignore_errors=True)

    def end_output(self) -> None:
        """Closes our writing end of the sidecar's output, so that its reader sees the end."""
        if not self._output_ended:
            self._output_ended = True
            os.close(self.output[1])

    def stop(self) -> None:
        """
        Tells the launcher to stop, as a kubelet does when a pod is deleted; may be called from any thread. A launcher
        that does not end in its grace period is killed; a second call kills it at once.
        """
        self._hurried = self._kill_at is not None
        grace = 0.0 if self._hurried else self._place.grace_seconds + _AFTER_GRACE_SECONDS
        self._kill_at = min(self._kill_at or math.inf, time.monotonic() + grace)
        if self.launcher is not None and self.launcher.poll() is None:
            self.launcher.send_signal(signal.SIGTERM)

    @property
    def began(self) -> bool:
        """Whether the task was handed to the runner: the sidecar notes it before it says so to the runner."""
        return (self._folder / "state" / BEGUN_FILE).exists()

    def wait(self) -> Record | None:
        """
        Waits until the launch is over; returns the sidecar's record, None if it left no record. Raises SetUpWrongly.
        """
        assert self.sidecar is not None  # noqa: S101 - entered
        assert self.launcher is not None  # noqa: S101 - entered
        restarts = 0
        while self.launcher.poll() is None:
            self._keep_going()
            if self.sidecar.poll() == _SET_UP_WRONGLY:
                raise SetUpWrongly("the sidecar refused what it was given: see its words above")
            if self.sidecar.poll() is not None:
                # Scattered, so that a sidecar that dies of what it finds does not find it at the same beat for ever.
                restarts += 1
                time.sleep(backoff.pause(restarts, _RESTART_FIRST_SECONDS, _RESTART_LONGEST_SECONDS))
                self._start_sidecar()
            _wait_any(self.launcher, self.sidecar)
        return self._record()

    def parsed(self) -> bytes | None:
        """Returns the result of a launch in parse mode, if it left one."""
        result = self._folder / "state" / "result.json"
        return result.read_bytes() if result.exists() else None

    def _keep_going(self) -> None:
        """
        Continues a process that user code of the same user has suspended, and kills a launcher whose time is over. Once
        the sidecar has written its record it waits for nothing more, so its launcher need not wait either.
        """
        for process in (self.launcher, self.sidecar):
            if process is not None and process.returncode is None and is_stopped(process.pid):
                process.send_signal(signal.SIGCONT)
        now = time.monotonic()
        if self._kill_at is None and (self._folder / "state" / RECORD_FILE).exists():
            self._kill_at = now + _AFTER_RECORD_SECONDS
        if self._kill_at is not None and now >= self._kill_at and self.launcher is not None:
            self.launcher.kill()

    def _sweep(self) -> None:
        """
        Ends the processes that user code left behind. Launches that share a user cannot tell theirs apart, so the last
        one of them ends them all.
        """
        last = leftovers.leave()
        own = self._lease is not None or (self._warm is not None and self._warm.runner.lease is not None)
        uid = self._uid if own else None
        if (last or uid is not None) and leftovers.orphans(self._children, uid):
            if self._warm is not None:
                # Its user's processes end with those that were left, and so does the warm parent.
                self._warm.runner.clean = False
            if uid is not None:
                users.sweep(uid)
            leftovers.end(self._children, uid)
        if self._lease is not None:
            self._lease.give_back()

    def _record(self) -> Record | None:
        assert self.sidecar is not None  # noqa: S101 - entered
        for _ in range(3):
            # A sidecar that was killed at the very end is started again: its journal has what it must still do.
            if self.sidecar.poll() is not None:
                self._start_sidecar()
            self.sidecar.send_signal(signal.SIGTERM)
            began = time.monotonic()
            while self.sidecar.poll() is None:
                self._keep_going()
                if time.monotonic() - began > (_HURRIED_SECONDS if self._hurried else _RECORD_SECONDS):
                    self.sidecar.kill()
                _wait_any(self.sidecar)
            file = self._folder / "state" / RECORD_FILE
            if self.sidecar.returncode == 0 and file.exists():
                return decode(file.read_bytes())
        return None

    def _start_sidecar(self) -> None:
        place, state = self._place, self._folder / "state"
        settings = {
            names.API_URL: place.api_url,
            names.WORKLOAD_FILE: str(state / "workload.json"),
            names.SOCKET_DIR: str(self._folder / "socket"),
            names.STATE_DIR: str(state),
            names.STATE_FD: str(self._state),
            names.LOG_DIR: str(place.log_dir),
            names.RECORD_FILE: str(state / RECORD_FILE),
            names.DIE_WITH_PARENT: "true",
            names.HEARTBEAT_SECONDS: str(place.heartbeat_seconds),
            names.MAX_FRAME_BYTES: str(place.max_frame_bytes),
            names.LOG_FRAMES: str(place.log_frames).lower(),
            names.CAPTURE_FILE: place.capture_file,
        }
        if self._uid is not None:
            settings[names.RUNNER_UID] = str(self._uid)
        if self._warm is not None:
            # Files are parsed for ever, and nobody removes what one prints without an end.
            settings[names.LOG_KEEP_MIB] = str(_PARSE_LOG_MIB)
        environ = {key: self._environ[key] for key in ("PATH", "LANG", "TZ") if key in self._environ}
        environ |= settings
        fds = [self._state]
        token_fd = None
        if self._token:
            token_fd, write = os.pipe()
            os.write(write, self._token.encode())
            os.close(write)
            environ[names.TOKEN_FD] = str(token_fd)
            fds.append(token_fd)
        # A SIGTERM before the sidecar has a handler would end it without a record. So it starts with the signal
        # blocked, and unblocks it once it can handle it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            if self.sidecar is not None:
                leftovers.forget(self.sidecar)
            self.sidecar = leftovers.start(lambda: self._new_sidecar(environ, fds))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if token_fd is not None:
            os.close(token_fd)

    def _new_sidecar(self, environ: dict[str, str], fds: list[int]) -> Process:
        if self._warm is not None:
            request = forking.request([], environ=environ, targets=[*fds, 1])
            return self._warm.sidecars.fork(request, [*fds, self.output[1]])
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "airlock_sidecar"],
            env=environ,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=self.output[1],
            start_new_session=True,
        )

    def _start_launcher(self) -> None:
        self.launcher = leftovers.start(self._new_launcher)

    def _new_launcher(self) -> Process:
        place = self._place
        arguments = ["--socket-dir", str(self._folder / "socket"), "--bundle-root", str(place.bundle_root)]
        arguments += ["--grace-seconds", str(place.grace_seconds)]
        if self._warm is not None:
            request = forking.request(
                arguments, memory_bytes=self._warm.memory_bytes, own_user=self._warm.runner.lease is not None
            )
            return self._warm.runner.parent.fork(request)
        own = self._uid is not None
        return subprocess.Popen(
            [place.runner_python, "-P", "-m", "airlock_runner", *arguments],
            env=launcher_environ(place, self._environ, own_user=own),
            cwd="/" if own else None,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=self._uid,
            group=self._uid,
            extra_groups=[] if own else None,
        )


def launcher_environ(place: Place, environ: Mapping[str, str], *, own_user: bool) -> dict[str, str]:
    """Returns the environment of a launcher, which user code sees."""
    passed = {key: environ[key] for key in PASSED_ON if key in environ} | dict(place.variables)
    passed.setdefault("HOME", "/" if own_user else environ.get("HOME", "/"))
    return passed


def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="airlock-"))
    if len(str(folder / "socket" / pod.SOCKET_NAME)) > 100:
        # A Unix socket's name has room for 107 bytes, so TMPDIR may be too long.
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="airlock-", dir="/tmp"))
    folder.chmod(0o711)
    return folder


def _wait_any(*processes: Process) -> None:
    """Waits until one of the processes has ended, for a second at most."""
    poll = select.poll()
    fds = [os.pidfd_open(process.pid) for process in processes if process.returncode is None]
    for fd in fds:
        poll.register(fd, select.POLLIN)
    poll.poll(1000)
    for fd in fds:
        os.close(fd)
