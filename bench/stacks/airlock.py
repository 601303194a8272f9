"""Our side: one launch as the local executor starts it, and the home it belongs to."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from bench import tasks
from bench.servers import BenchError

from airlock_server.launching.local.containers import Containers, Place
from airlock_wire.pod import GRACE_SECONDS
from airlock_wire.protocol.frames import MAX_FRAME_BYTES
from airlock_wire.protocol.messages import BundleInfo, TaskInstance
from airlock_wire.record import Reason, Record
from airlock_wire.workload import Execute

HEARTBEAT_SECONDS = 5.0


class Launches:
    """Launches by our sidecar, launcher and runner, as this user (Airflow's run as this user too)."""

    name = "Airlock"

    def __init__(self, scratch: Path, url: str, marks: Path) -> None:
        folder = scratch / "airlock"
        tasks.write(folder / "dags", "airlock.sdk", marks)
        self._place = Place(
            api_url=url,
            log_dir=folder / "logs",
            bundle_root=folder / "dags",
            runner_python=sys.executable,
            runner_uids=(),
            heartbeat_seconds=HEARTBEAT_SECONDS,
            max_frame_bytes=MAX_FRAME_BYTES,
            grace_seconds=GRACE_SECONDS,
            log_frames=False,
            capture_file="",
            variables={},
        )
        self._output: list[bytes] = []
        self.record: Record | None = None

    def run(self, ti: dict[str, object], token: str, started: Callable[[list[int]], None]) -> float:
        """Runs one launch, from exec until its processes are gone; returns the time. ``record`` has its record."""
        self._output = []
        with self.made(ti, token) as containers:
            reader = threading.Thread(target=self._drain, args=(containers.output[0],), daemon=True)
            reader.start()
            started([process.pid for process in (containers.sidecar, containers.launcher) if process is not None])
            self.record = containers.wait()
            ended = time.monotonic()
            containers.end_output()
            reader.join()
        if self.record is None or self.record.reason is not Reason.SUCCEEDED or not self.record.acknowledged:
            raise BenchError(f"our launch did not succeed: {self.record}\n{self.said()}")
        return ended

    def made(self, ti: dict[str, object], token: str) -> Containers:
        """Returns the processes of one launch, not started."""
        work = Execute(
            ti=msgspec.convert(ti, TaskInstance),
            dag_rel_path=tasks.FILE,
            bundle_info=BundleInfo(name="bench"),
            log_path=f"{ti['id']}.log",
        )
        return Containers(self._place, work, token, os.environ)

    def said(self) -> str:
        """Returns the end of the last launch's output."""
        return b"".join(self._output)[-4000:].decode(errors="replace")

    def _drain(self, fd: int) -> None:
        while piece := os.read(fd, 65536):
            self._output.append(piece)
