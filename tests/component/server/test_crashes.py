"""
Servers that are killed under load, and a disk that is full. Nothing that a client was told is stored is lost, by a
witness: what the clients noted, against the tables as another client of the database reads them.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from doubles.disk import small_disk

from airlock_server.installation import Installation
from airlock_server.store import tries
from airlock_server.store.engine.types import now
from airlock_wire.identity import TaskInstanceKey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WRITERS = 8
KILLS = 4
BETWEEN_SECONDS = 0.7
#: Small ones, and one that is several pages of either database.
SIZES = (10, 1000, 100_000)


class Server:
    """``airlock api-server`` on a home of its own, and the calls of a task that it knows."""

    def __init__(self, home, database_url):
        self.home = home
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/execution"
        self._env = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(home), "AIRLOCK__API__PORT": str(port)}
        self._env |= {"AIRLOCK__DATABASE__URL": database_url} if database_url else {}
        with Installation(self._env) as installation:
            ti_id = installation.database.write(self._queue)
            token = installation.tokens.mint_execution(ti_id)
        self.headers = {"authorization": f"Bearer {token}"}
        self.process = None
        self.start()

    @staticmethod
    def _queue(conn):
        tries.claim_dag(conn, "dag", "bundle")
        key = TaskInstanceKey("dag", "run", "task")
        return tries.queue_task(conn, key, try_number=1, max_tries=0, conf=None, now=now())

    def start(self):
        with (self.home.parent / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "airlock_server", "api-server"]
            self.process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)
        ends = time.monotonic() + 60
        while True:
            try:
                return httpx.get(f"{self.url}/health/ping", timeout=5).raise_for_status()
            except httpx.HTTPError:
                assert None is self.process.poll(), self.log()
                assert time.monotonic() < ends, self.log()
                time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def log(self):
        return (self.home.parent / "server.log").read_text()[-4000:]

    def put(self, http, key, value):
        """Stores an XCom; True if the server said that it is stored."""
        answer = http.post(f"{self.url}/xcoms/dag/run/task/{key}", json=value, headers=self.headers, timeout=30)
        return 201 == answer.status_code

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


class Load:
    """Writers that never stop, and what they were told is stored."""

    def __init__(self, server):
        self._server = server
        self.accepted = {}
        self.failures = 0
        self._ends = threading.Event()
        self._threads = ThreadPoolExecutor(WRITERS)

    def __enter__(self):
        self._running = [self._threads.submit(self._write, worker) for worker in range(WRITERS)]
        return self

    def __exit__(self, *_):
        self._ends.set()
        for each in self._running:
            each.result(60)
        self._threads.shutdown()

    def _write(self, worker):
        number = 0
        with httpx.Client() as http:
            while not self._ends.is_set():
                number += 1
                key, value = f"{worker}-{number}", f"{worker}-{number} ".ljust(SIZES[number % len(SIZES)], "x")
                try:
                    if self._server.put(http, key, value):
                        self.accepted[key] = value
                        continue
                except httpx.HTTPError:
                    pass
                self.failures += 1
                self._ends.wait(0.02)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    server = Server(home, url)
    server.database_url = url
    yield server
    server.stop()


def tables(server):
    """The XComs, as a client that is not ours reads them."""
    statement = "SELECT key, value FROM xcom"
    if server.database_url:
        with psycopg.connect(server.database_url) as connection:
            rows = connection.execute(statement).fetchall()
    else:
        with sqlite3.connect(server.home / "airlock.db") as connection:
            assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
            rows = connection.execute(statement).fetchall()
    return {key: json.loads(value) for key, value in rows}


def lost(load, server):
    """What a client was told is stored, and is not there, or not as it was sent."""
    stored = tables(server)
    return [key for key, value in load.accepted.items() if stored.get(key) != value]


def test_a_server_that_is_killed_under_load_loses_no_write_that_it_accepted(server):
    with Load(server) as load:
        for _ in range(KILLS):
            time.sleep(BETWEEN_SECONDS)
            before = len(load.accepted)
            server.kill()
            server.start()
            assert before > 0
        time.sleep(BETWEEN_SECONDS)

    assert load.failures
    assert len(load.accepted) > before
    assert [] == lost(load, server)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_postgresql_that_is_killed_under_load_loses_no_write_that_the_server_accepted(server, postgresql):
    with Load(server) as load:
        for _ in range(KILLS):
            time.sleep(BETWEEN_SECONDS)
            before = len(load.accepted)
            postgresql.kill()
            postgresql.start()
            assert before > 0
        time.sleep(2 * BETWEEN_SECONDS)

    assert load.failures
    # The server itself went on.
    assert None is server.process.poll()
    assert len(load.accepted) > before
    assert [] == lost(load, server)


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "12m") as disk:
        yield disk


def test_a_full_disk_is_named_reads_go_on_and_nothing_is_corrupt(disk):
    home = disk / "home"
    home.mkdir(mode=0o700)
    server = Server(home, "")
    server.database_url = ""
    (disk / "ballast").write_bytes(b"x" * 2_000_000)
    accepted, refused = {}, None
    with httpx.Client(base_url=server.url, headers=server.headers, timeout=30) as http:
        for number in range(300):
            answer = http.post(f"/xcoms/dag/run/task/{number}", json=f"{number}".ljust(100_000, "x"))
            if answer.status_code != 201:
                refused = answer
                break
            accepted[str(number)] = f"{number}".ljust(100_000, "x")
        read = http.get("/xcoms/dag/run/task/0", params={"map_index": -1})
        (disk / "ballast").unlink()
        after = http.post("/xcoms/dag/run/task/after", json="after")
    server.stop()

    assert refused is not None
    assert 503 == refused.status_code
    assert "disk is full" in refused.json()["detail"]
    assert (200, accepted["0"]) == (read.status_code, read.json()["value"])
    assert 201 == after.status_code
    assert {**accepted, "after": "after"} == {
        key: value for key, value in tables(server).items() if key in accepted or key == "after"
    }
    assert refused.request.url.path.rpartition("/")[2] not in tables(server)
    assert "disk is full" in server.log()
