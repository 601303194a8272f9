"""What a pod's token opens over its life: while it runs, after its terminal state, and when it no longer counts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from airlock_server.rules.fencing import SETTLED_FOR
from airlock_server.store import attempts, connections, grants, schema, variables
from airlock_server.store.connections import Connection
from airlock_server.store.engine.types import now
from airlock_server.store.grants import Grant


@pytest.fixture
def launch(cluster_api, kubernetes):
    """A task instance that a pod runs, with a variable and a connection in the store."""
    return Launch(cluster_api, kubernetes)


class Launch:
    def __init__(self, api, kubernetes):
        self.api = api
        self.run = kubernetes.taskrun(runId="r")
        self.pod = kubernetes.pod(self.run)
        self.ti_id, self.headers = api.exchanged(self.pod)
        assert 200 == api.run(self.ti_id, headers=self.headers).status_code
        new = Connection(conn_id="c", conn_type="http")
        api.db.write(lambda conn: connections.put(conn, api.encryption, new))
        api.db.write(lambda conn: variables.put(conn, api.encryption, "k", "v", None))

    def get(self, path):
        return self.api.http.get(path, headers=self.headers).status_code

    def push(self, path="/xcoms/dag/r/task/k", **more):
        return self.api.http.post(path, json=1, headers=self.headers, **more).status_code

    def age(self, **columns):
        table = schema.attempt
        self.api.db.write(lambda conn: conn.execute(sa.update(table).values(columns)))


def test_a_running_launch_reads_what_its_dag_may_and_writes_its_own(launch):
    assert [200, 200, 201] == [launch.get("/variables/k"), launch.get("/connections/c"), launch.push()]
    assert 200 == launch.get("/xcoms/dag/r/task/k")
    assert 404 == launch.get("/xcoms/dag/r/another/k")
    assert 403 == launch.get("/xcoms/foreign/r/task/k")


@pytest.mark.parametrize(
    "path",
    ["/xcoms/foreign/r/task/k", "/xcoms/dag/other/task/k", "/xcoms/dag/r/other/k", "/xcoms/dag/r/task/k?map_index=3"],
)
def test_a_launch_writes_the_xcoms_of_no_other_task_instance(launch, path):
    assert 403 == launch.push(path)
    assert 403 == launch.api.http.delete(path, headers=launch.headers).status_code


def test_after_its_terminal_state_a_token_is_narrowed_to_its_own(launch):
    launch.push()
    assert 204 == launch.api.report(launch.ti_id, "success", headers=launch.headers).status_code

    assert [403] * 3 == [launch.get("/variables/k"), launch.get("/variables/keys"), launch.get("/connections/c")]
    assert 200 == launch.get("/xcoms/dag/r/task/k")
    assert 403 == launch.get("/xcoms/dag/r/another/k")
    assert 201 == launch.push("/xcoms/dag/r/task/link")
    assert 201 == launch.api.call("PUT", launch.ti_id, "rtif", {"a": 1}, headers=launch.headers).status_code
    assert 200 == launch.api.report(launch.ti_id, "success", headers=launch.headers).status_code
    assert 409 == launch.api.beat(launch.ti_id, headers=launch.headers).status_code


def test_some_time_after_its_terminal_state_a_token_opens_only_the_replay_of_it(launch):
    launch.api.report(launch.ti_id, "success", headers=launch.headers)
    launch.age(settled_at=now() - SETTLED_FOR - timedelta(seconds=1))

    assert [410] * 3 == [launch.get("/variables/k"), launch.get("/xcoms/dag/r/task/k"), launch.push()]
    assert 410 == launch.api.beat(launch.ti_id, headers=launch.headers).status_code
    assert 200 == launch.api.report(launch.ti_id, "success", headers=launch.headers).status_code


def test_a_launch_that_has_ended_opens_nothing_and_is_not_refreshed(launch):
    launch.api.db.write(lambda conn: attempts.end(conn, launch.run["metadata"]["uid"], "told so"))
    old = launch.api.tokens.mint_for_pod(
        launch.ti_id, launch.run["status"]["podRef"]["uid"], launch.run["metadata"]["uid"], 1, now().timestamp() - 590
    )
    answer = launch.api.beat(launch.ti_id, headers={"authorization": f"Bearer {old}"})

    assert 410 == answer.status_code
    assert "told so" in answer.json()["detail"]["message"]
    assert "refreshed-api-token" not in answer.headers


def test_a_refreshed_token_is_bound_to_the_same_pod(launch):
    uid = launch.run["status"]["podRef"]["uid"]
    old = launch.api.tokens.mint_for_pod(launch.ti_id, uid, launch.run["metadata"]["uid"], 1, now().timestamp() - 590)
    answer = launch.api.beat(launch.ti_id, headers={"authorization": f"Bearer {old}"})
    bound = launch.api.tokens.verify(answer.headers["refreshed-api-token"]).bound

    assert 204 == answer.status_code
    assert (bound.pod, bound.taskrun, bound.try_number) == (uid, launch.run["metadata"]["uid"], 1)


def test_a_token_of_a_pod_that_the_store_does_not_know_opens_nothing(launch):
    token = launch.api.tokens.mint_for_pod(launch.ti_id, "another", launch.run["metadata"]["uid"], 1)

    assert 410 == launch.api.beat(launch.ti_id, headers={"authorization": f"Bearer {token}"}).status_code


def test_a_token_that_is_bound_to_no_pod_works_as_before(launch):
    assert 200 == launch.api.http.get("/variables/k", headers=launch.api.anyone).status_code
    # The run is a namespace's: to anybody else it is called so.
    assert 404 == launch.api.http.post("/xcoms/dag/r/any/k", json=1, headers=launch.api.anyone).status_code


def test_a_write_of_a_superseded_launch_undoes_no_write_beside_it(launch, kubernetes):
    """Writes that wait are committed together; a refused one must not cost the others their transaction."""
    new_id, new = launch.api.exchanged(kubernetes.pod(launch.run, 2))
    launch.api.run(new_id, hostname="new", headers=new)
    with ThreadPoolExecutor(8) as pool:
        pushes = [
            pool.submit(
                launch.api.http.post, f"/xcoms/dag/r/task/k{n}", json=n, headers=new if n % 2 else launch.headers
            )
            for n in range(40)
        ]
    codes = [push.result().status_code for push in pushes]

    assert [410, 201] * 20 == codes


class Granted(Launch):
    def grant(self, kind, pattern, namespace="team-a"):
        self.api.db.write(lambda conn: grants.add(conn, Grant(namespace, kind, pattern)))


@pytest.fixture
def granted(make_cluster_api, kubernetes):
    return Granted(make_cluster_api(by_grant=True), kubernetes)


def test_what_is_not_granted_is_denied_and_the_grant_is_named(granted):
    for kind, path in (("variable", "/variables/k"), ("connection", "/connections/c")):
        answer = granted.api.http.get(path, headers=granted.headers)
        assert 403 == answer.status_code
        assert f"airlock grants add {kind} {path[-1]} --namespace team-a" in answer.json()["detail"]["message"]
        assert "access_denied" == answer.json()["detail"]["reason"]


def test_what_is_not_there_is_denied_the_same_so_that_names_cannot_be_found_out(granted):
    there, absent = (
        granted.api.http.get(f"/variables/{key}", headers=granted.headers).json()["detail"] for key in ("k", "j")
    )

    assert there["message"].replace("'k'", "'j'").replace(" k ", " j ") == absent["message"]


@pytest.mark.parametrize("pattern", ["k", "*", "?"])
def test_what_is_granted_can_be_read(granted, pattern):
    granted.grant("variable", pattern)
    granted.grant("connection", "c")

    assert [200, 200] == [granted.get("/variables/k"), granted.get("/connections/c")]


@pytest.mark.parametrize(
    ("kind", "pattern", "namespace"),
    [("variable", "K", "team-a"), ("connection", "k", "team-a"), ("variable", "k", "b")],
)
def test_a_grant_counts_for_its_name_kind_and_namespace_only(granted, kind, pattern, namespace):
    granted.grant(kind, pattern, namespace)

    assert 403 == granted.get("/variables/k")


def test_only_granted_keys_are_listed(granted):
    for key in ("etl_a", "etl_b", "other"):
        granted.api.db.write(lambda conn, key=key: variables.put(conn, granted.api.encryption, key, "v", None))
    granted.grant("variable", "etl_*")
    listed = granted.api.http.get("/variables/keys?limit=1&offset=1", headers=granted.headers).json()

    assert {"keys": ["etl_b"], "total_entries": 2} == listed


def test_a_grant_is_for_reading(granted):
    granted.grant("variable", "*")

    assert 403 == granted.api.http.put("/variables/k", json={"val": "x"}, headers=granted.headers).status_code
    assert 403 == granted.api.http.delete("/variables/k", headers=granted.headers).status_code
