"""Servers as processes of their own: started, awaited, and stopped by the pid that was recorded."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.005


class BenchError(Exception):
    """The bench cannot go on: what it would measure did not do what it should. The text says what happened."""


def free_port() -> int:
    """Returns a TCP port of the loopback that was free just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Server:
    """A server process. In the ``with`` it answers; ``started_seconds`` is how long that took from its exec."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], log: Path, url: str) -> None:
        """``url`` is what it answers GET with 200 once it is up."""
        self._command, self._env, self._log, self._url = command, env, log, url
        self._process: subprocess.Popen[bytes] | None = None
        self.started_seconds = 0.0

    @property
    def pid(self) -> int:
        """The process's id; its children are its too."""
        if self._process is None:
            raise BenchError(f"{self._command[0]} was not started")
        return self._process.pid

    def __enter__(self) -> Self:
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=dict(self._env), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                self.__exit__(None)
                raise BenchError(f"{self._command} did not come up:\n{self._log.read_text()[-4000:]}")
            time.sleep(_POLL_SECONDS)
        self.started_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._url, timeout=START_SECONDS) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def airlock_env(home: Path, port: int, database: str = "") -> dict[str, str]:
    """Returns the environment of our commands; without a ``database`` they use the home's own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRLOCK_HOME": str(home),
        "AIRLOCK__API__PORT": str(port),
        "AIRLOCK__JWT__EXECUTION_SECONDS": "86400",
        "AIRLOCK__JWT__WORKLOAD_SECONDS": "86400",
        **({"AIRLOCK__DATABASE__URL": database} if database else {}),
    }


def airlock(home: Path, database: str = "") -> tuple[Server, str]:
    """Our API server on a home, one process; and the Execution API's URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/execution"
    command = [sys.executable, "-m", "airlock_server", "api-server"]
    return Server(
        command, airlock_env(home, port, database), home.parent / "airlock-api.log", f"{url}/health/ping"
    ), url


def empty(log: Path) -> tuple[Server, str]:
    """Returns a server that only answers 204: it shows the most that the load generator can reach."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [sys.executable, ROOT / "bench/peers/empty_server.py", str(port)]
    return Server(command, {"PATH": os.environ["PATH"]}, log, f"{url}/health"), url
