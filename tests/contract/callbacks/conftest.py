"""DAGs of one file, run by Airflow's dag.test() and by our command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DATE = "2026-01-02T00:00:00+00:00"
DRIVER = Path(__file__).parents[1] / "examples/drivers/run_dags.py"


@pytest.fixture(scope="session")
def run_by_airflow(airflow_python, airflow_env) -> Callable[..., None]:
    """Runs DAGs of the bundle in ``folder``, with these settings."""

    def run(folder: Path, dags: list[str], settings: dict[str, str]) -> None:
        bundle, home = str(folder / "bundle"), folder / "airflow"
        home.mkdir()
        kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
        listed = [{"name": "bundle", "classpath": kind, "kwargs": {"path": bundle}}]
        environ = airflow_env | {
            "AIRFLOW_HOME": str(home),
            "HOME": str(home),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(listed),
        }
        migrate = [airflow_python, "-m", "airflow", "db", "migrate"]
        subprocess.run(migrate, env=environ, capture_output=True, timeout=300, check=True)
        done = subprocess.run(
            [airflow_python, DRIVER, DATE, folder / "answer.json"],
            input=json.dumps([["bundle", bundle, dags]]), env=environ | settings, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]

    return run


@pytest.fixture(scope="session")
def run_by_us() -> Callable[..., None]:
    """Runs DAGs of the bundle in ``folder``; their tasks have the settings, and the server what it is ``told``."""

    def run(folder: Path, dags: list[str], settings: dict[str, str], told: dict[str, str] | None = None) -> None:
        (file,) = (folder / "bundle").glob("*.py")
        given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
        environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(folder / "home")} | (told or {})
        for dag_id in dags:
            words = [sys.executable, "-m", "airlock_server", "dags", "test", file, dag_id, DATE, *given]
            subprocess.run(words, env=environ, capture_output=True, timeout=100, check=False)

    return run
