"""
A runner in a forked process, and a sidecar that the test plays: it answers frames, cuts lines and hands out new ones.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airlock_wire.protocol import frames

DEADLINE_SECONDS = 30.0


def startup(file: str = "d.py", dag_id: str = "d", task_id: str = "t", **changes: Any) -> dict[str, Any]:
    """A StartupDetails body, as a sidecar sends it; ``changes`` are for ti_context, its dag_run or the ti."""
    dag_run = {
        "dag_id": dag_id,
        "run_id": "r1",
        "logical_date": "2026-01-02T03:04:05Z",
        "data_interval_start": None,
        "data_interval_end": None,
        "run_after": "2026-01-02T03:04:05Z",
        "start_date": None,
        "end_date": None,
        "run_type": "manual",
        "state": "running",
        "consumed_asset_events": [],
        "partition_key": None,
        "conf": changes.pop("conf", None),
    }
    return {
        "type": "StartupDetails",
        "ti": {
            "id": "019a0000-0000-7000-8000-000000000001",
            "task_id": task_id,
            "dag_id": dag_id,
            "run_id": "r1",
            "try_number": 1,
            "dag_version_id": "019a0000-0000-7000-8000-000000000002",
            "map_index": -1,
        },
        "dag_rel_path": file,
        "bundle_info": {"name": "b", "version": None},
        "start_date": "2026-01-02T03:04:06Z",
        "ti_context": {"dag_run": dag_run, "max_tries": 1, **changes},
        "sentry_integration": "",
    }


class Sidecar:
    """The test's sidecar. ``asked`` is every message it got, ``ids`` their ids; ``answers`` maps types to bodies."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle
        self.asked: list[dict[str, Any]] = []
        self.ids: list[int] = []
        self.answers: dict[str, Any] = {}
        self.frames, runner_frames = socket.socketpair()
        self.handoff, runner_handoff = socket.socketpair()
        log, runner_log = os.pipe()
        out, runner_out = os.pipe()
        err, runner_err = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._become_the_runner(runner_frames, runner_handoff, runner_log, runner_out, runner_err)
        for fd in (runner_log, runner_out, runner_err):
            os.close(fd)
        runner_frames.close()
        runner_handoff.close()
        self._pipes = {"log": log, "stdout": out, "stderr": err}
        self.frames.settimeout(DEADLINE_SECONDS)
        self.code: int | None = None
        self._output: dict[str, bytes] = {}

    def _become_the_runner(self, frames_: socket.socket, handoff: socket.socket, log: int, out: int, err: int) -> None:
        try:
            self.frames.close()
            self.handoff.close()
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_RDONLY)
            for fd, to in ((null, 0), (out, 1), (err, 2)):
                os.dup2(fd, to)
            # pytest makes them errors; the launcher's child has Python's own rules.
            warnings.simplefilter("default")
            sys.unraisablehook = sys.__unraisablehook__
            from airlock_runner import child

            child.run(frames_.detach(), log, handoff.detach(), str(self.bundle))
        finally:
            os._exit(99)

    def write(self, code: str, file: str = "d.py") -> None:
        """Puts a DAG file into the bundle."""
        (self.bundle / file).write_text(textwrap.dedent(code))

    def send(self, body: Any = None, error: Any = None, request_id: int = 0, chunk: int | None = None) -> None:
        """One response, in pieces of ``chunk`` bytes if given."""
        data = frames.response(request_id, body, error)
        for start in range(0, len(data), chunk or len(data)):
            self.frames.sendall(data[start : start + (chunk or len(data))])

    def receive(self) -> tuple[int, dict[str, Any]]:
        """The next request."""
        request = frames.decode_raw_request(frames.read_payload(self.frames))
        body = msgspec.msgpack.decode(request.body)
        self.ids.append(request.id)
        self.asked.append(body)
        return request.id, body

    def serve(self, chunk: int | None = None) -> None:
        """Answers until the runner hangs up: a function in ``answers`` is called with the message."""
        while True:
            try:
                request_id, body = self.receive()
            except (EOFError, ConnectionResetError):
                return
            answer = self.answers.get(body["type"])
            answer = answer(body) if isinstance(answer, Callable) else answer
            # A runner that ends itself does not wait for the answer to what it told.
            with contextlib.suppress(BrokenPipeError):
                if isinstance(answer, dict) and "error_slot" in answer:
                    self.send(None, answer["error_slot"], request_id, chunk)
                else:
                    self.send(answer, None, request_id, chunk)

    def hand_over(self) -> None:
        """Dies and comes back: the old socket is closed, and the runner gets a new one."""
        self.frames.close()
        self.frames, theirs = socket.socketpair()
        self.frames.settimeout(DEADLINE_SECONDS)
        socket.send_fds(self.handoff, [b"F"], [theirs.fileno()])
        theirs.close()

    def start(self, body: dict[str, Any], chunk: int | None = None) -> None:
        """Sends the first frame and serves to the end."""
        self.send(body, chunk=chunk)
        self.serve(chunk)
        self.wait()

    def read_log(self) -> list[dict[str, Any]]:
        """The records that are there, once there are some; they are not read again."""
        return [json.loads(line) for line in os.read(self._pipes["log"], 65536).splitlines()]

    def wait(self) -> int:
        """The runner's exit code (or minus its signal), all of its output read."""
        if self.code is None:
            self.frames.close()
            for name, fd in self._pipes.items():
                with os.fdopen(fd, "rb") as stream:
                    self._output[name] = stream.read()
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def stop(self) -> None:
        """Ends what is left of the runner."""
        if self.code is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()
        self.handoff.close()

    @property
    def stdout(self) -> str:
        return self._output["stdout"].decode()

    @property
    def stderr(self) -> str:
        return self._output["stderr"].decode()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output["log"].splitlines()]

    @property
    def types(self) -> list[str]:
        """The types of what was asked, in order."""
        return [body["type"] for body in self.asked]


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    """A runner that waits for its first frame, and the sidecar that the test plays for it."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    played = Sidecar(bundle)
    yield played
    played.stop()


@pytest.fixture
def task_file(sidecar: Sidecar) -> Callable[..., None]:
    """Writes d.py: DAG ``d`` with the one task ``t`` of this body, parameters, arguments and options."""

    def write(body: str, parameters: str = "", arguments: str = "", options: str = "retry_delay=7") -> None:
        function = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
        sidecar.write(
            f"from airlock.sdk import *\n\nwith DAG('d', params={{'who': 'us'}}):\n"
            f"    @task(task_id='t', {options})\n    def f({parameters}):\n{function}\n    f({arguments})\n"
        )

    return write


@pytest.fixture
def details() -> Callable[..., dict[str, Any]]:
    """Makes StartupDetails bodies."""
    return startup
