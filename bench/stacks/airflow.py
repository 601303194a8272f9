"""Airflow's side: where it is, its environment, and one launch as its Kubernetes executor starts it."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import tasks
from bench.servers import ROOT, BenchError, Server, free_port

LAUNCH_SECONDS = 120.0


def python() -> Path:
    """Airflow's interpreter; AIRLOCK_AIRFLOW_PYTHON names another one than ``.venvs/airflow``."""
    path = Path(os.environ.get("AIRLOCK_AIRFLOW_PYTHON") or ROOT / ".venvs/airflow/bin/python")
    if not path.exists():
        raise BenchError(f"Airflow is not installed at {path}: `make bench` installs it and runs this")
    return path


def env(home: Path, **settings: str) -> dict[str, str]:
    """Returns an environment with no file of this machine's user and no example DAGs in it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "bench" * 13,
        **settings,
    }


class Launches:
    """Launches by Airflow's supervisor and task runner, against the server at ``url``."""

    name = "Airflow"

    def __init__(self, scratch: Path, url: str, marks: Path, home: str = "airflow") -> None:
        self._python, self._home = python(), scratch / home
        self._home.mkdir()
        tasks.write(self._home / "dags", "airflow.sdk", marks)
        bundle = {
            "name": "bench",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(self._home / "dags")},
        }
        self._env = env(
            self._home,
            AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps([bundle]),
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=url,
        )

    def run(self, ti: dict[str, object], token: str, started: Callable[[list[int]], None]) -> float:
        """Runs one launch, from exec until its processes are gone; returns the time of that."""
        workload = {
            "type": "ExecuteTask",
            "token": token,
            "ti": {**ti, "pool_slots": 1, "priority_weight": 1, "queue": "default"},
            "dag_rel_path": tasks.FILE,
            "bundle_info": {"name": "bench", "version": None},
            "log_path": f"{ti['id']}.log",
        }
        file, output = self._home / "workload.json", self._home / "output.log"
        file.write_text(json.dumps(workload))
        with output.open("wb") as out:
            process = subprocess.Popen(
                [self._python, "-m", "airflow.sdk.execution_time.execute_workload", "--json-path", file],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            started([process.pid])
            code = process.wait(LAUNCH_SECONDS)
            ended = time.monotonic()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            raise BenchError(f"Airflow's launch ended with {code}:\n{output.read_text()[-4000:]}")
        return ended

    def said(self) -> str:
        """Returns the end of the last launch's output."""
        return (self._home / "output.log").read_text()[-4000:]


#: The process that ``running_task`` runs in.
IDENTITY = {"hostname": "bench", "pid": 4321}


def running_task(home: Path, database: str = "") -> tuple[dict[str, object], str]:
    """Migrates a database with one task instance that runs as ``IDENTITY``; returns it and its execution token."""
    [(ti, token)] = _prepared(home, "running", "bench", 1, database)
    return ti, token


def queue_tasks(home: Path, task_id: str, count: int) -> list[tuple[dict[str, object], str]]:
    """Migrates a database with ``count`` queued task instances; returns each with its workload token."""
    return _prepared(home, "queued", task_id, count)


def _prepared(
    home: Path, state: str, task_id: str, count: int, database: str = ""
) -> list[tuple[dict[str, object], str]]:
    home.mkdir()
    script = [ROOT / "bench/peers/airflow_tasks.py", state, tasks.DAG_ID, task_id, str(count)]
    for command in (["-m", "airflow", "db", "migrate"], script):
        process = subprocess.run(
            [python(), *command], env=env(home, **_on(database)), cwd=home, capture_output=True, text=True, check=False
        )
        if process.returncode != 0:
            raise BenchError(f"{command} failed:\n{process.stdout[-2000:]}{process.stderr[-4000:]}")
    return [(ti, token) for ti, token in json.loads(process.stdout.splitlines()[-1])]


def server(home: Path, database: str = "") -> tuple[Server, str]:
    """Airflow's own API server, execution API only, one worker; and the Execution API's URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/execution"
    command: list[str | Path] = [
        python(),
        "-m",
        "airflow",
        "api-server",
        "--apps",
        "execution",
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
    ]
    return Server(command, env(home, **_on(database)), home / "api.log", f"{url}/health"), url


def _on(database: str) -> dict[str, str]:
    """Returns the setting of a PostgreSQL database's URL; nothing for the home's own SQLite."""
    if not database:
        return {}
    return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql://", "postgresql+psycopg2://", 1)}
