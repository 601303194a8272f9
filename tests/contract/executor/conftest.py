"""The executor in a real Airflow 3.3.2, on SQLite, against a played Kubernetes API."""

import json
import os
from pathlib import Path

import pytest
from doubles.taskrun_api import PlayedTaskRunApi

ROOT = Path(__file__).resolve().parents[3]
DRIVERS = Path(__file__).parent / "drivers"
MEMBERS = os.pathsep.join(str(ROOT / member / "src") for member in ("executor", "wire"))


@pytest.fixture
def api():
    played = PlayedTaskRunApi()
    yield played
    played.close()


@pytest.fixture
def drive(run_driver, airflow_env, monkeypatch, tmp_path, api):
    """Runs a driver with the executor on its path and the played cluster as its own; what it found."""

    def run(driver, given=None, **options):
        settings = {"IMAGE": "images/airflow:1", "NAMESPACE": "airflow", "KUBECONFIG": api.kubeconfig(tmp_path)}
        variables = {f"AIRFLOW__AIRLOCK__{name}": value for name, value in settings.items()}
        variables |= {
            "PYTHONPATH": MEMBERS,
            "AIRFLOW__CORE__EXECUTOR": "airlock_executor.TaskRunExecutor",
            "AIRFLOW__API_AUTH__JWT_SECRET": "s" * 64,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "7",
            "AIRFLOW__EMAIL__FROM_EMAIL": "airflow@example.com",
            "AIRFLOW_CONN_WAREHOUSE": "postgres://u:secret@h/d",
        }
        for name, value in (variables | options).items():
            monkeypatch.setitem(airflow_env, name, value)
        printed = run_driver(DRIVERS / driver, json.dumps(given or {}).encode())
        return json.loads(printed.decode().rpartition("RESULT ")[2])

    return run
