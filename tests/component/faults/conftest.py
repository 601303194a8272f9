"""One laptop per launch: a home, an API server, the local executor, and a witness outside all of them."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles.proxy import Proxy

from airlock_server.api.serve import EmbeddedServer
from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor
from airlock_server.store.tries import Outcome
from airlock_wire.record import Record

DAGS = Path(__file__).parent / "dags"


class Laptop:
    """Runs one try of one task of ``faults.py`` in a thread, so that a test can do harm meanwhile."""

    def __init__(self, home: Path, settings: dict[str, Any]) -> None:
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(home)}
        environ |= {f"AIRLOCK__{key.upper()}": str(value) for key, value in settings.items()}
        self.home = home
        self.witness = home / "witness"
        self.lines: list[bytes] = []
        self.installation = Installation(environ)
        self.server = EmbeddedServer(self.installation.database, self.installation.tokens, self.installation.encryption)
        self.server.start()
        self.executor = Executor(self.installation, DAGS, environ, self.lines.append)
        self.executor.serve_at(self.server.url)
        self.outcome: Outcome | None = None
        self.record: Record | None = None
        self._proxy: Proxy | None = None
        self._thread: threading.Thread | None = None

    def through(self, fault: Callable[[str, str], str]) -> Proxy:
        """From now on launches reach the server only through a proxy with this fault."""
        self._proxy = Proxy(self.server.url, fault)
        self.executor.serve_at(self._proxy.url)
        return self._proxy

    def start(self, task_id: str, *, retries: int = 0, **conf: Any) -> "Laptop":
        dag = next(d for d in self.executor.parse("faults.py").dags if d.dag_id == f"faults_{retries}")
        task = dag.task(task_id)
        assert task is not None
        conf["witness"] = str(self.witness)
        ti_id = self.executor.queue(dag, task, run_id="r", map_index=-1, try_number=1, conf=conf)

        def run() -> None:
            self.outcome, self.record = self.executor.run(ti_id, "faults.py", task)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        return self

    def wait(self, seconds: float = 60) -> "Laptop":
        assert self._thread is not None
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the launch did not come to an end"
        assert self.outcome is not None
        return self

    def wait_for_starts(self, count: int = 1, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while self.starts() < count:
            assert time.monotonic() < ends, "user code did not begin"
            time.sleep(0.01)

    @property
    def sidecar_pid(self) -> int:
        return self.executor._current.sidecar.pid

    @property
    def launcher_pid(self) -> int:
        return self.executor._current.launcher.pid

    @property
    def runner_pid(self) -> int:
        children = Path(f"/proc/{self.launcher_pid}/task/{self.launcher_pid}/children").read_text().split()
        return int(children[0])

    def starts(self) -> int:
        """How often user code began, by its own append-only word."""
        return len(self.witness.read_text().splitlines()) if self.witness.exists() else 0

    def state_writes(self) -> list[str]:
        """Every state move that the server accepted, from the append-only table, read past our own code."""
        with sqlite3.connect(self.home / "airlock.db") as connection:
            rows = connection.execute("SELECT to_state FROM state_write ORDER BY id").fetchall()
        connection.close()
        return [row[0] for row in rows]

    def events(self) -> list[str]:
        import json

        return [json.loads(line)["event"] for line in self.executor.log_file(self.outcome).read_bytes().splitlines()]

    def close(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self.executor.stop()
            self._thread.join(30)
        if self._proxy is not None:
            self._proxy.close()
        self.server.stop()
        self.installation.close()


@pytest.fixture
def make_laptop(tmp_path: Path) -> Iterator[Callable[..., Laptop]]:
    made: list[Laptop] = []

    def make(**settings: Any) -> Laptop:
        home = tmp_path / f"home-{len(made)}"
        home.mkdir(mode=0o700)
        made.append(Laptop(home, settings))
        return made[-1]

    yield make
    for laptop in made:
        laptop.close()


@pytest.fixture
def laptop(make_laptop: Callable[..., Laptop]) -> Laptop:
    return make_laptop()
