"""Connections and variables of a scheduler's environment, which go to the sidecar and not to user code."""

import base64
import json

import pytest

from airlock_executor import lookups
from airlock_executor.launch import taskrun
from airlock_executor.launch.observed import Metadata, Observed
from airlock_executor.pod.translation import translated
from airlock_wire.taskrun import LOOKUPS_KEY

ENVIRON = {"AIRFLOW_CONN_DB": "postgres://u:p@h/d", "AIRFLOW_VAR_Region": "eu", "AIRFLOW__CORE__X": "1", "HOME": "/"}
DB = {"conn_id": "DB", "conn_type": "postgres", "host": "h", "password": "p"}


def test_connections_and_variables_are_found_by_their_prefix():
    assert {"AIRFLOW_CONN_DB", "AIRFLOW_VAR_Region"} == set(lookups.among(ENVIRON))


def test_the_sidecars_file_has_the_servers_answers_by_names_in_upper_case():
    text = lookups.document({"AIRFLOW_CONN_DB": DB}, ENVIRON)

    assert {
        "connections": {"DB": DB},
        "variables": {"REGION": {"key": "REGION", "value": "eu"}},
    } == json.loads(text)


URI = "postgresql+psycopg2://airflow:p%40ss@Postgresql.airflow:5432/airflow?sslmode=disable"
SERVICES = {
    "conn_id": "x",
    "conn_type": "postgres",
    "host": "postgresql.airflow",
    "login": "airflow",
    "password": "p@ss",
}


@pytest.mark.parametrize(
    ("name", "changes", "is_of_services"),
    [
        # By Airflow's name for it, whatever it says.
        ("AIRFLOW_CONN_AIRFLOW_DB", {"host": "elsewhere"}, True),
        ("airflow_conn_Airflow_Db", {}, True),
        # By what it opens: the same login at the same host, whatever the database and the port.
        ("AIRFLOW_CONN_REPORTS", {}, True),
        ("AIRFLOW_CONN_REPORTS", {"host": "POSTGRESQL.airflow", "schema": "other", "port": 6432}, True),
        ("AIRFLOW_CONN_REPORTS", {"login": "reader"}, False),
        ("AIRFLOW_CONN_REPORTS", {"password": "another"}, False),
        ("AIRFLOW_CONN_REPORTS", {"host": "warehouse"}, False),
        ("AIRFLOW_CONN_REPORTS", {"login": None, "password": None, "host": None}, False),
    ],
)
def test_a_connection_to_the_metadata_database_is_no_tasks(name, changes, is_of_services):
    of_services = lookups.of_services({name: SERVICES | changes}, [URI, "sqlite:////airflow.db", ""])

    assert ([name] if is_of_services else []) == of_services


def test_without_any_there_is_no_file():
    assert b"" == lookups.document({}, {"HOME": "/"})


def test_more_than_a_secret_holds_is_refused_in_words():
    with pytest.raises(lookups.TooLarge, match="a secrets backend of the API server"):
        lookups.document({}, {"AIRFLOW_VAR_BIG": "x" * lookups.MAX_BYTES})


def test_they_are_in_the_tokens_secret_alone():
    owner = Observed(Metadata("run", "airflow", "uid"))
    data = taskrun.secret(owner, "the-token", b"{}")["data"]

    assert {"token": b"the-token", LOOKUPS_KEY: b"{}"} == {name: base64.b64decode(text) for name, text in data.items()}
    assert {"token"} == set(taskrun.secret(owner, "the-token")["data"])


def test_those_of_a_pod_leave_its_environment():
    env = [
        {"name": "AIRFLOW_CONN_DB", "value": "postgres://h"},
        {"name": "AIRFLOW_VAR_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "MODE", "value": "fast"},
    ]
    pod = {"spec": {"containers": [{"name": "base", "env": env}]}}
    found = translated(pod, ("airflow",), lambda name: "it is withheld" if name.startswith("AIRFLOW_") else None)

    assert [{"name": "MODE", "value": "fast"}] == found.settings.pod["env"]
    assert {"AIRFLOW_CONN_DB": "postgres://h"} == found.lookups
    assert ["env AIRFLOW_VAR_KEY is left out: it is withheld"] == found.notes
