"""A real sidecar process in folders of its own, and the kubelet's part in its life."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from doubles.api import ScriptedApi

from airlock_wire.protocol.messages import BundleInfo, TaskInstance
from airlock_wire.record import Record, decode
from airlock_wire.workload import Execute, Workload

TI = TaskInstance(
    id="01890000-0000-7000-8000-000000000001",
    task_id="t",
    dag_id="d",
    run_id="r",
    try_number=1,
    dag_version_id="01890000-0000-7000-8000-000000000002",
)


def work(**changes: Any) -> Execute:
    """The workload that most tests run."""
    default = Execute(ti=TI, dag_rel_path="dag.py", bundle_info=BundleInfo(name="b"), log_path="try.log")
    return msgspec.structs.replace(default, **changes)


#: The same in a pod, where the ids come by exchange.
POD_TI = msgspec.structs.replace(TI, id="", dag_version_id="")


class Sidecar:
    """A sidecar process and its folders. ``start`` may be called again after a kill, as a kubelet would."""

    def __init__(self, api: ScriptedApi, work: Workload, settings: dict[str, str]) -> None:
        # The folder's path is short because a socket's name may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="al-"))
        for name in ("socket", "state", "log"):
            (self.folder / name).mkdir()
        (self.folder / "workload.json").write_bytes(msgspec.json.encode(work))
        self.log_path = self.folder / "log" / work.log_path
        self.env = {
            "PATH": os.environ["PATH"],
            "AIRLOCK__API__URL": api.url,
            "AIRLOCK__SIDECAR__WORKLOAD_FILE": str(self.folder / "workload.json"),
            "AIRLOCK__SIDECAR__SOCKET_DIR": str(self.folder / "socket"),
            "AIRLOCK__SIDECAR__STATE_DIR": str(self.folder / "state"),
            "AIRLOCK__SIDECAR__LOG_DIR": str(self.folder / "log"),
            "AIRLOCK__SIDECAR__RECORD_FILE": str(self.folder / "record.json"),
        } | settings
        self.process: subprocess.Popen[bytes] | None = None
        self._stderr = (self.folder / "stderr").open("ab")

    def start(self, token: str | None = "token-0") -> Sidecar:
        """``token`` None: it comes by exchange."""
        read, write = os.pipe()
        os.write(write, (token or "").encode())
        os.close(write)
        named = {} if token is None else {"AIRLOCK__SIDECAR__TOKEN_FD": str(read)}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "airlock_sidecar"],
            env=self.env | named,
            pass_fds=[read],
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
        )
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(read)
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def end(self, seconds: float = 20) -> Record:
        """SIGTERM, as a kubelet sends it after the main container ended; the record."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert 0 == self.process.wait(seconds), (self.folder / "stderr").read_text()
        return self.record()

    def record(self) -> Record:
        return decode((self.folder / "record.json").read_bytes())

    def wait_for_record(self, seconds: float = 10) -> Record:
        """The record of a sidecar that was not told to end."""
        ends = time.monotonic() + seconds
        while True:
            try:
                return self.record()
            except (OSError, ValueError):
                assert time.monotonic() < ends, "no record"
                time.sleep(0.02)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_bytes().splitlines()]

    def clean(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self._stderr.close()
        stderr = (self.folder / "stderr").read_text() if (self.folder / "stderr").exists() else ""
        shutil.rmtree(self.folder)
        assert "Traceback" not in stderr, stderr
