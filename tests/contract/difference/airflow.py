"""A real Airflow's API server, with nothing beside it: it answers the Execution API about a world that is seeded."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx

HERE = Path(__file__).parent
START_SECONDS = 90.0


class Airflow:
    """An API server in a folder of its own, whose tokens are signed with ``key``. ``stop`` may be called at any time."""

    def __init__(self, python, home, key):
        self._python, self._home = python, home
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}/execution"
        self._env = _environment(home, port, key)
        self._port = str(port)
        self._server = None

    def start(self):
        """Makes the database and its DAGs; returns once the server answers."""
        self._run("-m", "airflow", "db", "migrate")
        self._run("-m", "airflow", "dags", "reserialize")
        command = [
            self._python,
            "-m",
            "airflow",
            "api-server",
            "--apps",
            "execution",
            "--workers",
            "1",
            "--port",
            self._port,
        ]
        with (self._home / "said").open("wb") as said:
            self._server = subprocess.Popen(
                command, env=self._env, cwd=self._home, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        ends = time.monotonic() + START_SECONDS
        while not self._healthy():
            assert None is self._server.poll(), self.said()
            assert time.monotonic() < ends, "Airflow's API server does not answer" + self.said()
            time.sleep(0.2)

    def seed(self, world):
        """Writes a world into the database."""
        self._run(HERE / "drivers/seed.py", given=json.dumps(world.data()).encode())

    def said(self):
        """The end of what the server wrote."""
        return (self._home / "said").read_text()[-6000:]

    def stop(self):
        """Ends the server's whole process group."""
        if self._server is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._server.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.wait(15)

    def _healthy(self):
        try:
            return httpx.get(f"{self.url}/health", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def _run(self, *command, given=b""):
        done = subprocess.run(
            [self._python, *command], env=self._env, cwd=self._home, input=given, capture_output=True, timeout=120
        )
        assert 0 == done.returncode, done.stdout[-4000:].decode() + done.stderr[-8000:].decode()


def _environment(home, port, key):
    bundle = {
        "name": "differing",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(HERE / "dags")},
    }
    values = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": "cGVlci1wZWVyLXBlZXItcGVlci1wZWVyLXBlZXItMTI=",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__SECRET_KEY": key.decode(),
        "API_AUTH__JWT_SECRET": key.decode(),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{f"AIRFLOW__{name}": value for name, value in values.items()},
    }


def _free_port():
    """One below those that the kernel gives to connections."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
