"""A real launcher with our real runner as its child, in a process of its own; the test plays the kubelet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from doubles.sidecar import Sidecar

#: The DAG file that every sidecar of ``doubles.sidecar`` names, and its one task ``t``.
_FILE = "dag.py"


class Runner:
    """The launcher of one sidecar's launch. The task's function has this body; ``before`` comes before its DAG."""

    def __init__(
        self,
        sidecar: Sidecar,
        body: str,
        before: str = "",
        grace_seconds: float = 60,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.sidecar = sidecar
        bundle = sidecar.folder / "bundle"
        bundle.mkdir()
        function = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
        (bundle / _FILE).write_text(
            f"from airlock.sdk import *\nimport signal, sys, threading, time\n{textwrap.dedent(before)}\n"
            f"with DAG('d'):\n    @task(task_id='t')\n    def f(ti):\n{function}\n    f()\n"
        )
        self._stderr = (sidecar.folder / "launcher.stderr").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "airlock_runner", "--socket-dir", str(sidecar.folder / "socket"),
             "--bundle-root", str(bundle), "--grace-seconds", str(grace_seconds)],
            env={"PATH": os.environ["PATH"], **env}, stdin=subprocess.DEVNULL, stdout=self._stderr, stderr=self._stderr,
        )  # fmt: skip

    @property
    def child(self) -> int:
        """The runner's own pid."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def terminate(self) -> None:
        """SIGTERM, as a kubelet sends it when a pod is to end."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 90) -> int:
        """The launcher's exit code."""
        return self.process.wait(seconds)

    def clean(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._stderr.close()
