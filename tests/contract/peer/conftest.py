"""One real Airflow for the folder, in which every DAG of ``dags`` has run to its end, each way."""

import tempfile
from pathlib import Path

import pytest
from contract.peer.instance import Instance

from airlock_runner.airflow import folder

RUN = "once"
WAYS = ("theirs", "ours")
DAGS = ("outcomes", "lookups", "assets", "people", "starts")
OUR_RUNNERS = ("runner_outcomes", "behind_outcomes")
#: DAG runs that the DAGs above make.
MADE = ("started", "started_by_an_asset")
SECONDS = 500.0


@pytest.fixture(scope="session")
def ran(airflow_python):
    """The instance after all DAG runs have ended."""
    # The folder's path is short because a socket's name may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="al-") as home:
        folder.copy(home)
        instance = Instance(airflow_python, Path(home), Path(home, folder.NAME))
        try:
            instance.start()
            _fill(instance)
            instance.until(lambda: _over(instance), SECONDS, "end of all DAG runs")
            yield instance
        finally:
            instance.stop()


def _fill(instance):
    """What the tasks look up, and the DAG runs."""
    for key, value in (("greeting", "hello"), ("a_password", "let-me-in")):
        instance.ask("POST", "/variables", {"key": key, "value": value})
    instance.ask("POST", "/connections", {
        "connection_id": "db", "conn_type": "generic", "host": "db.example", "port": 5432, "schema": "s", "login": "me",
        "password": "open-sesame", "extra": '{"api_key": "abra-cadabra", "mode": "visible"}',
    })  # fmt: skip
    for dag in DAGS:
        for way in WAYS:
            instance.trigger(f"{way}_{dag}", RUN, {"asked": "for this"})
    for dag_id in OUR_RUNNERS:
        instance.trigger(dag_id, RUN, {})


def _over(instance):
    """Whether all DAG runs have ended; who waits for a person is answered."""
    for way in WAYS:
        _answer(instance, f"{way}_people", "entry", {"chosen_options": ["OK"], "params_input": {"n": 3}})
        _answer(instance, f"{way}_people", "approval", {"chosen_options": ["Reject"]})
    runs = instance.rows("SELECT dag_id, state FROM dag_run")
    expected = len(WAYS) * (len(DAGS) + len(MADE)) + len(OUR_RUNNERS)
    return len(runs) >= expected and all(run["state"] in ("success", "failed") for run in runs)


def _answer(instance, dag_id, task_id, answer):
    waits = "SELECT 1 FROM task_instance WHERE dag_id = ? AND task_id = ? AND state = 'awaiting_input'"
    if instance.rows(waits, dag_id, task_id) and instance.heard(dag_id, task_id):
        path = f"/dags/{dag_id}/dagRuns/{RUN}/taskInstances/{task_id}/-1/hitlDetails"
        instance.ask("PATCH", path, answer)
