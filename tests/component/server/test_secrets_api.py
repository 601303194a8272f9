"""What a task is given, by each secrets backend, through the API and the command; and that no value is in a log."""

import json
import sys
import time

import pytest
from doubles.kubernetes import NAMESPACE

from airlock_server.secrets.build import secrets_of
from airlock_server.settings import SecretsSettings
from airlock_server.store import connections, grants, variables
from airlock_server.store.connections import Connection
from airlock_server.store.grants import Grant

VALUE = "open-sesame"

CLASS = """
import time

class Vault:
    asked = []

    def __init__(self, token=""):
        self.token = token

    def get_variable(self, key):
        self.asked.append(key)
        if key == "slow":
            time.sleep(30)
        if key == "broken":
            raise RuntimeError(f"the token is {self.token}")
        return None if key.startswith("absent") else f"{self.token} {key}"

    def get_conn_value(self, conn_id):
        self.asked.append(conn_id)
        return None if conn_id.startswith("absent") else f"http://u:{self.token}@vault/{conn_id}"
"""


@pytest.fixture
def vault(tmp_path, monkeypatch):
    (tmp_path / "own_vault.py").write_text(CLASS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield SecretsSettings(
        backends="own_vault.Vault, database", backend_kwargs=json.dumps({"token": VALUE}), timeout_seconds=1.0
    )
    sys.modules.pop("own_vault", None)


def files(tmp_path):
    (tmp_path / "v.json").write_text(json.dumps({"k": f"{VALUE} file"}))
    (tmp_path / "c.yaml").write_text(f"k: http://u:{VALUE}@file\n")
    return SecretsSettings(
        backends="file, database", variables_file=f"{tmp_path}/v.json", connections_file=f"{tmp_path}/c.yaml"
    )


def store(api, *keys):
    for key in keys:
        new = Connection(conn_id=key, conn_type="http", host="database")
        api.db.write(lambda conn, key=key: variables.put(conn, api.encryption, key, "database", None))
        api.db.write(lambda conn, new=new: connections.put(conn, api.encryption, new))


def read(api, key, headers=None):
    """What a task gets: the variable's value and the connection's host, or the statuses."""
    answers = [api.http.get(f"/{kind}/{key}", headers=headers or api.anyone) for kind in ("variables", "connections")]
    return [
        answer.json()[field] if answer.status_code == 200 else answer.status_code
        for answer, field in zip(answers, ("value", "host"), strict=True)
    ]


ENVIRON = {"AIRLOCK_VAR_K": f"{VALUE} environment", "AIRLOCK_CONN_K": f"http://u:{VALUE}@environment"}


def test_the_environment_answers_before_the_database(make_cluster_api):
    api = make_cluster_api(secrets=secrets_of(SecretsSettings(), ENVIRON))
    store(api, "k", "other")

    assert [f"{VALUE} environment", "environment"] == read(api, "k")
    assert ["database", "database"] == read(api, "other")
    assert [404, 404] == read(api, "absent")


def test_the_order_is_that_of_the_setting(make_cluster_api):
    api = make_cluster_api(secrets=secrets_of(SecretsSettings(backends="database, environment"), ENVIRON))

    assert [f"{VALUE} environment", "environment"] == read(api, "k")
    store(api, "k")
    assert ["database", "database"] == read(api, "k")


def test_a_database_that_is_not_named_is_not_asked(make_cluster_api):
    api = make_cluster_api(secrets=secrets_of(SecretsSettings(backends="environment"), {}))
    store(api, "k")

    assert [404, 404] == read(api, "k")


def test_a_file_answers_before_the_database_and_is_read_anew(make_cluster_api, tmp_path):
    api = make_cluster_api(secrets=secrets_of(files(tmp_path), {}))
    store(api, "k", "new")

    assert [f"{VALUE} file", "file"] == read(api, "k")
    assert ["database", "database"] == read(api, "new")
    (tmp_path / "v.json").write_text(json.dumps({"new": "from the changed file"}))
    assert ["from the changed file", "database"] == read(api, "new")


def test_a_class_answers_before_the_database_and_its_failures_do_not_end_the_lookup(make_cluster_api, vault, caplog):
    api = make_cluster_api(secrets=secrets_of(vault, {}))
    store(api, "absent-1", "broken", "slow")

    assert [f"{VALUE} k", "vault"] == read(api, "k")
    assert ["database", "database"] == read(api, "absent-1")
    assert [404, 404] == read(api, "absent-2")
    assert "database" == read(api, "broken")[0]
    began = time.monotonic()
    assert "database" == read(api, "slow")[0]
    assert time.monotonic() - began < 10

    failures = [(r.backend, r.key, r.error) for r in caplog.records if r.name == "airlock.secrets"]
    assert [("own_vault.Vault", "broken", "RuntimeError"), ("own_vault.Vault", "slow", "TimeoutError")] == failures
    assert VALUE not in str([vars(record) for record in caplog.records])


def test_other_requests_are_answered_while_a_backend_is_slow(make_cluster_api, vault):
    from concurrent.futures import ThreadPoolExecutor

    api = make_cluster_api(secrets=secrets_of(vault, {}))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(api.http.get, "/variables/slow", headers=api.anyone)
        time.sleep(0.2)
        began = time.monotonic()
        assert 200 == api.http.get("/variables/keys", headers=api.anyone).status_code
        answered = time.monotonic() - began
        assert 404 == slow.result().status_code
    assert answered < 0.7


class Pod:
    def __init__(self, api, kubernetes):
        self.api = api
        self.ti_id, self.headers = api.exchanged(kubernetes.pod(kubernetes.taskrun(), 1))

    def grant(self, kind, pattern):
        self.api.db.write(lambda conn: grants.add(conn, Grant(NAMESPACE, kind, pattern)))


@pytest.mark.parametrize("backend", ["environment", "file", "own_vault.Vault", "database"])
def test_a_pod_needs_the_grant_whichever_backend_answers(make_cluster_api, kubernetes, vault, tmp_path, backend):
    settings = SecretsSettings(
        backends=backend,
        backend_kwargs=vault.backend_kwargs,
        variables_file=files(tmp_path).variables_file,
        connections_file=files(tmp_path).connections_file,
    )
    api = make_cluster_api(by_grant=True, secrets=secrets_of(settings, ENVIRON))
    store(api, "k")
    pod = Pod(api, kubernetes)

    assert [403, 403] == read(api, "k", pod.headers)
    if backend == "own_vault.Vault":
        assert [] == sys.modules["own_vault"].Vault.asked
    pod.grant("variable", "k")
    pod.grant("connection", "k")
    assert 403 not in read(api, "k", pod.headers)
    assert 404 not in read(api, "k", pod.headers)


def test_a_grant_of_a_folder_opens_no_other_folder_of_a_class(make_cluster_api, kubernetes, vault):
    api = make_cluster_api(by_grant=True, secrets=secrets_of(vault, {}))
    pod = Pod(api, kubernetes)
    pod.grant("variable", "team/*")

    assert f"{VALUE} team/k" == api.http.get("/variables/team/k", headers=pod.headers).json()["value"]
    for path in ("team%2F..%2Fother", "team%2F%252e%252e%2Fother", "team%2F%2Fk"):
        assert api.http.get(f"/variables/{path}", headers=pod.headers).status_code in (403, 404)
    assert ["team/k"] == sys.modules["own_vault"].Vault.asked


def test_only_the_databases_keys_are_listed(make_cluster_api):
    api = make_cluster_api(secrets=secrets_of(SecretsSettings(), ENVIRON))
    store(api, "other")

    assert ["other"] == api.http.get("/variables/keys", headers=api.anyone).json()["keys"]


@pytest.mark.parametrize(
    ("backends", "key", "message"),
    [
        ("environment, database", "k", "written, but shadowed"),
        ("own_vault.Vault, database", "k", "written, but shadowed"),
        ("environment", "other", "written, but [secrets] backends has no database"),
        ("environment, database", "other", None),
        ("database, environment", "k", None),
    ],
)
def test_a_write_goes_to_the_database_and_the_log_says_if_no_task_will_see_it(
    make_cluster_api, vault, caplog, backends, key, message
):
    settings = SecretsSettings(backends=backends, backend_kwargs=vault.backend_kwargs)
    api = make_cluster_api(secrets=secrets_of(settings, ENVIRON))
    assert 201 == api.http.put(f"/variables/{key}", json={"val": "written"}, headers=api.anyone).status_code

    assert (True, "written") == api.db.read(lambda conn: variables.get(conn, api.encryption, key))
    deadline = time.monotonic() + (5 if message else 0.3)
    while time.monotonic() < deadline and not logged(caplog):
        time.sleep(0.01)
    assert ([message] if message else []) == logged(caplog)
    assert VALUE not in str([vars(record) for record in caplog.records])


def logged(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "airlock.secrets"]
