"""An operator as a process of this machine, with the rights of the installed one, and what it costs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from bench.scale.api import Api
from bench.servers import BenchError

SYSTEM = "airlock-system"
ACCOUNT = "airlock-operator"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROBE_SECONDS = 0.5


class Operator:
    """One process. ``peak`` is its largest resident memory in bytes, ``slowest`` its slowest probe in seconds."""

    def __init__(self, api: Api, folder: Path, namespace: str, name: str) -> None:
        self._log = folder / f"{name}.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        env = {
            "PATH": os.environ["PATH"],
            "AIRLOCK__OPERATOR__IDENTITY": name,
            "AIRLOCK__OPERATOR__NAMESPACES": namespace,
            "AIRLOCK__OPERATOR__NAMESPACE": SYSTEM,
            "AIRLOCK__OPERATOR__KUBECONFIG": str(_kubeconfig(api, folder)),
            "AIRLOCK__OPERATOR__HEALTH_PORT": str(self._port),
        }
        self.began = time.time()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "airlock_operator"], env=env, stdout=log, stderr=log
            )
        self.peak, self.slowest, self.probes, self.late = 0, 0.0, 0, 0
        self._stop = threading.Event()
        threading.Thread(target=self._observe, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Ends it as a lost node does."""
        self._stop.set()
        self._process.kill()
        self._process.wait()

    @property
    def rss(self) -> int:
        """Its resident memory in bytes."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE

    @property
    def cpu(self) -> float:
        """The processor seconds that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def health(self) -> dict[str, Any]:
        """Asks its probe."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=10) as answer:
            health: dict[str, Any] = json.loads(answer.read())
        return health

    def logged(self, event: str) -> float | None:
        """Returns when it logged an event for the first time, in seconds since the epoch."""
        for line in self._log.read_text().splitlines():
            if f'"event":"{event}"' in line:
                from datetime import datetime

                return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
        if self._process.poll() is not None:
            raise BenchError(f"the operator ended with {self._process.returncode}; see {self._log}")
        return None

    def _observe(self) -> None:
        while not self._stop.wait(_PROBE_SECONDS):
            try:
                self.peak = max(self.peak, self.rss)
                began = time.monotonic()
                self.health()
            except OSError:
                if self._process.poll() is not None:
                    return
                continue
            took = time.monotonic() - began
            self.probes += 1
            self.late += took > 1.0
            self.slowest = max(self.slowest, took)


def _kubeconfig(api: Api, folder: Path) -> Path:
    """Writes a kubeconfig with a token of the installed operator's account."""
    token_request = {"spec": {"expirationSeconds": 7200}}
    path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{ACCOUNT}/token"
    token = api.call("POST", path, token_request)["status"]["token"]
    config = json.loads(json.dumps(api.config))
    config["users"] = [{"name": ACCOUNT, "user": {"token": token}}]
    for context in config["contexts"]:
        context["context"]["user"] = ACCOUNT
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config))
    return file
