import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from doubles.postgresql import running

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.rules.assets import NO_ASSETS
from airlock_server.settings import JwtSettings
from airlock_server.store import tries
from airlock_server.store.engine.database import open_engine
from airlock_wire.identity import TaskInstanceKey

HERE = Path(__file__).parent
SECONDS = 110


class Drive:
    """Our server, and a way to run a driver in Airflow's environment against it."""

    def __init__(self, db, tokens, encryption, url, python, folder):
        self.db, self.tokens, self.encryption, self.url = db, tokens, encryption, url
        self._python, self.folder = python, folder

    def queue(self, dag_id, run_id, task_id, max_tries=0, conf=None, assets=NO_ASSETS):
        def write(conn):
            tries.claim_dag(conn, dag_id, "contract")
            return tries.queue_task(
                conn,
                TaskInstanceKey(dag_id, run_id, task_id),
                try_number=1,
                max_tries=max_tries,
                conf=conf,
                now=datetime.now(UTC),
                assets=assets,
            )

        ti_id = self.db.write(write)
        return {"id": ti_id, "token": self.tokens.mint_workload(ti_id)}

    def outcome(self, ti_id):
        return self.db.read(lambda conn: tries.outcome(conn, ti_id))

    def run(self, driver, given):
        home = self.folder / "airflow"
        home.mkdir(exist_ok=True)
        bundle = {
            "name": "contract",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(HERE / "dags")},
        }
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [self._python, HERE / "drivers" / driver],
            input=json.dumps({"url": self.url, **given}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=env,
            cwd=self.folder,
        )
        assert 0 == done.returncode, done.stdout[-4000:] + done.stderr[-8000:]
        return done.stdout


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server. A machine that lacks one skips the test, and fails it in CI."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database: each test runs once on every kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'airlock.db'}"
    server = request.getfixturevalue("postgresql")
    return server.url(server.make())


@pytest.fixture
def drive(tmp_path, database_url, airflow_python):
    tokens, encryption = Tokens(b"k" * 64, JwtSettings()), Encryption(b"e" * 64)
    with open_engine(database_url) as db, EmbeddedServer(db, tokens, encryption) as server:
        yield Drive(db, tokens, encryption, server.url, airflow_python, tmp_path)
