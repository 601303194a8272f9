"""A real Airflow on SQLite in a folder of its own: API server, scheduler and triggerer, and what they left behind."""

import contextlib
import json
import os
import random
import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
from contract.peer.drivers import heard

HERE = Path(__file__).parent
START_SECONDS = 90.0
#: What `airflow X` is started as, in the order in which it is needed.
SERVERS = {"api-server": ("--workers", "1"), "scheduler": (), "triggerer": ()}


class Instance:
    """``stop`` may be called at any time, also after half a start."""

    def __init__(self, python, home, launcher):
        port = _free_port()
        self.home, self._python = home, python
        self.url = f"http://127.0.0.1:{port}"
        self.env = _environment(home, port, launcher)
        self._started = []

    def start(self):
        """Everything, until all three are healthy and every DAG of ``dags`` is known."""
        self._airflow("db", "migrate")
        self._number_triggers_once()
        self._airflow("dags", "reserialize")
        for name, options in SERVERS.items():
            with (self.home / f"{name}.said").open("wb") as said:
                command = [self._python, "-m", "airflow", name, *options]
                self._started.append(
                    subprocess.Popen(command, env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
                                     stdout=said, stderr=said, start_new_session=True)
                )  # fmt: skip
        self.until(self._healthy, START_SECONDS, "a healthy Airflow")

    def stop(self):
        """Ends every process of the three sessions, whatever group it is in."""
        for process in self._started:
            process.send_signal(signal.SIGTERM)
        sessions = {process.pid for process in self._started}
        polite, ends = time.monotonic() + 5, time.monotonic() + 30
        while (left := _of(sessions)) and time.monotonic() < ends:
            for process in self._started:
                process.poll()
            for pid in left if time.monotonic() > polite else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        for process in self._started:
            process.wait(5)

    # --- the public API, as a user's browser asks it ---

    def ask(self, method, path, body=None):
        for _ in range(10):
            answer = httpx.request(method, f"{self.url}/api/v2{path}", json=body, timeout=30)
            # SQLite has one writer: what finds it locked is answered with 500 and wrote nothing.
            if answer.status_code != 500:
                break
            time.sleep(0.5)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def trigger(self, dag_id, run_id, conf):
        body = {"dag_run_id": run_id, "logical_date": "1999-01-02T00:00:00Z", "conf": conf}
        self.ask("POST", f"/dags/{dag_id}/dagRuns", body)

    # --- what is in the database, and in the logs ---

    def heard(self, dag_id, task_id):
        """Whether the scheduler has dealt with the end of a launch of this task."""
        return heard.was(self.env["PEER_FOLDER"], dag_id, task_id)

    def rows(self, query, *values):
        """The rows of the metadata database, as dictionaries."""
        db = sqlite3.connect(f"file:{self.home}/airflow.db?mode=ro", uri=True, timeout=30)
        try:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query, values)]
        finally:
            db.close()

    def logs(self, dag_id):
        """The lines of each try's log, by its path below the DAG's folder; the triggerer's own logs are left out."""
        folder = self.home / "logs" / f"dag_id={dag_id}"
        files = sorted(folder.rglob("attempt=*.log"))
        return {
            str(file.relative_to(folder)): [json.loads(line) for line in file.read_bytes().splitlines()]
            for file in files
            if ".trigger." not in file.name
        }

    def captures(self, way):
        """The files of all frames of the runners that were run this way."""
        return sorted(self.home.glob(f"launches/{way}-*/frames"))

    def until(self, true, seconds, what):
        """Waits until ``true()``; says what the servers said where it does not come."""
        ends = time.monotonic() + seconds
        while not true():
            for process in self._started:
                assert None is process.poll(), f"{process.args} has ended" + self.said()
            assert time.monotonic() < ends, f"no {what} in {seconds} s" + self.said()
            time.sleep(0.2)

    def said(self):
        """The ends of what the servers wrote."""
        files = [*self.home.glob("*.said"), *self.home.glob("launches/*/stderr")]
        return "".join(f"\n--- {file}\n{text[-3000:]}" for file in files if (text := file.read_text()))

    def _airflow(self, *command):
        done = subprocess.run(
            [self._python, "-m", "airflow", *command], env=self.env, cwd=self.home, capture_output=True, timeout=120
        )
        assert 0 == done.returncode, done.stdout[-4000:].decode() + done.stderr[-8000:].decode()

    def _number_triggers_once(self):
        """
        SQLite gives the number of a deleted row to another, and a triggerer that had a trigger of this number passes
        the new one over: a task instance then stays deferred for ever.
        """
        db = sqlite3.connect(self.home / "airflow.db")
        try:
            sql = [
                row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'trigger' AND sql != ''")
            ]
            table = sql[0].replace("id INTEGER NOT NULL", "id INTEGER PRIMARY KEY AUTOINCREMENT", 1)
            table = re.sub(r"CONSTRAINT \w+ PRIMARY KEY \(id\),", "", table)
            for statement in ('DROP TABLE "trigger"', table, *sql[1:]):
                db.execute(statement)
            db.commit()
        finally:
            db.close()

    def _healthy(self):
        try:
            found = self.ask("GET", "/monitor/health")
        except httpx.TransportError:
            return False
        return all(found[name]["status"] == "healthy" for name in ("scheduler", "triggerer"))


def _environment(home, port, launcher):
    folder = home / "launches"
    folder.mkdir()
    bundle = {
        "name": "peer",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(HERE / "dags")},
    }
    settings = {
        "CORE__EXECUTOR": "either_way.EitherWay",
        "CORE__PARALLELISM": "8",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": "cGVlci1wZWVyLXBlZXItcGVlci1wZWVyLXBlZXItMTI=",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "SDK__COORDINATORS": json.dumps({"ours": {"classpath": "our_runner.OurRunner"}}),
        "SDK__QUEUE_TO_COORDINATOR": json.dumps({"ours": "ours"}),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        # Airflow's supervisor looks for its runner's end this often.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(HERE / "drivers"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PEER_FOLDER": str(folder),
        "PEER_PYTHON": sys.executable,
        "PEER_LAUNCHER": str(launcher),
        "PEER_OUR_DAGS": str(HERE / "ours"),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }


def _free_port():
    """One below those that the kernel gives to connections, of which other tests may make many until this is used."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _of(sessions):
    """The processes of these sessions that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) in sessions and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
