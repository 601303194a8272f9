"""Assets of TaskRuns: what the TaskRun declares and what its namespace was granted, over HTTP."""

import pytest
from doubles.kubernetes import NAMESPACE

from airlock_server.store import grants
from airlock_server.store.grants import Grant

ORDERS = {"name": "orders", "uri": "s3://sales/orders"}
PROFILE = {"type": "Asset", **ORDERS}


class Pods:
    """TaskRuns in a played Kubernetes whose pods have exchanged their tokens."""

    def __init__(self, api, kubernetes):
        self.api, self._kubernetes = api, kubernetes

    def run(self, name, **spec):
        run = self._kubernetes.taskrun(name, taskId=name, runId="nightly", **spec)
        ti_id, headers = self.api.exchanged(self._kubernetes.pod(run))
        assert 200 == self.api.run(ti_id, headers=headers).status_code
        return ti_id, headers

    def state(self, headers, method="GET", value=None, **query):
        body = None if value is None else {"value": value}
        query = {"name": "orders", "key": "k"} | query
        return self.api.http.request(method, "/store/asset/by-name/value", params=query, json=body, headers=headers)

    def get(self, path, headers, **query):
        return self.api.http.get(path, params=query, headers=headers).status_code

    def grant(self, pattern, namespace=NAMESPACE):
        self.api.db.write(lambda conn: grants.add(conn, Grant(namespace, "asset", pattern)))


@pytest.fixture
def pods(make_cluster_api, kubernetes):
    return Pods(make_cluster_api(), kubernetes)


@pytest.fixture
def granted(make_cluster_api, kubernetes):
    return Pods(make_cluster_api(by_grant=True), kubernetes)


def succeed(pods, ti_id, headers, *said):
    answer = pods.api.report(ti_id, "success", headers=headers, task_outlets=[PROFILE], outlet_events=list(said))
    assert 204 == answer.status_code, answer.text


def test_a_taskrun_opens_the_state_of_its_inlets_and_outlets_and_of_no_other(pods):
    _, writer = pods.run("writer", outlets=[ORDERS])
    assert 204 == pods.state(writer, "PUT", 1).status_code
    _, reader = pods.run("reader", inlets=[{"type": "AssetNameRef", "name": "orders"}])
    assert {"value": 1} == pods.state(reader).json()
    _, listed = pods.run("listed", access={"assetStores": ["ord*"]})
    assert {"value": 1} == pods.state(listed).json()
    _, stranger = pods.run("stranger", access={"assets": ["*"]})
    assert [403, 403] == [pods.state(stranger).status_code, pods.state(stranger, "PUT", 2).status_code]


def test_an_event_names_the_run_without_its_namespace(pods):
    ti_id, headers = pods.run("writer", outlets=[ORDERS])
    succeed(pods, ti_id, headers)
    _, reader = pods.run("reader")
    query = {"name": "orders", "uri": ""}
    (event,) = pods.api.http.get("/asset-events/by-asset", params=query, headers=reader).json()["asset_events"]
    assert ("nightly", "writer") == (event["source_run_id"], event["source_task_id"])


def test_a_list_of_asset_events_opens_what_it_names(pods):
    ti_id, headers = pods.run("writer", access={"assetEvents": ["orders", "s3://sales/*"]})
    succeed(pods, ti_id, headers)
    _, reader = pods.run("reader")
    assert 200 == pods.get("/assets/by-name", reader, name="orders")


def test_what_is_not_granted_is_closed_and_the_grant_is_named(granted):
    _, headers = granted.run("writer", outlets=[ORDERS])
    answers = [granted.state(headers), granted.state(headers, "PUT", 1)]
    assert [403, 403] == [answer.status_code for answer in answers]
    assert f"airlock grants add asset orders --namespace {NAMESPACE}" in answers[0].json()["detail"]["message"]
    for path, query in (
        ("/assets/by-name", {"name": "orders"}),
        ("/assets/by-uri", {"uri": ORDERS["uri"]}),
        ("/assets/by-alias", {"alias_name": "regional"}),
        ("/asset-events/by-asset", {"name": "orders", "uri": ""}),
        ("/asset-events/by-asset-alias", {"name": "regional"}),
    ):
        assert 403 == granted.get(path, headers, **query), path


def test_what_is_granted_by_name_or_uri_or_alias_is_open(granted):
    for pattern in ("ord*", "s3://sales/*", "regional"):
        granted.grant(pattern)
    ti_id, headers = granted.run("writer", outlets=[ORDERS])
    assert 204 == granted.state(headers, "PUT", 1).status_code
    succeed(granted, ti_id, headers)
    _, reader = granted.run("reader", inlets=[ORDERS])
    assert {"value": 1} == granted.state(reader).json()
    assert 200 == granted.get("/assets/by-uri", reader, uri=ORDERS["uri"])
    assert 200 == granted.get("/asset-events/by-asset", reader, name="orders", uri="")
    assert 200 == granted.get("/assets/by-alias", reader, alias_name="regional")


@pytest.mark.parametrize("patterns", [[], ["orders"], ["s3://sales/orders"]], ids=["none", "name", "uri"])
def test_a_success_writes_no_asset_whose_name_and_uri_are_not_both_granted(granted, patterns):
    for pattern in patterns:
        granted.grant(pattern)
    ti_id, headers = granted.run("writer", outlets=[ORDERS])
    succeed(granted, ti_id, headers)
    granted.grant("*")
    _, reader = granted.run("reader")
    assert 404 == granted.get("/assets/by-name", reader, name="orders")


def test_a_grant_counts_in_its_namespace_alone(granted):
    granted.grant("*", "another")
    _, headers = granted.run("writer", outlets=[ORDERS])
    assert 403 == granted.state(headers).status_code
