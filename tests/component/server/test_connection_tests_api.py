"""Tests of connections, over HTTP, with a real database."""

import uuid

import pytest

from airlock_server.store import connections
from airlock_server.store.connections import Connection
from airlock_server.store.people import connection_tests

CONNECTION = Connection(
    conn_id="db", conn_type="postgres", host="h", schema="s", login="me", password="p", port=5, extra='{"a": 1}'
)


def make(api, **more):
    commit = more.pop("commit_on_success", False)
    return api.db.write(
        lambda conn: connection_tests.make(conn, api.encryption, CONNECTION, commit_on_success=commit),
    )


def headers(api, test_id):
    return {"authorization": f"Bearer {api.tokens.mint_workload(test_id)}"}


def fetch(api, test_id):
    return api.http.get(f"/connection-tests/{test_id}/connection", headers=headers(api, test_id))


def end(api, test_id, state="success", **more):
    body = {"state": state, **more}
    return api.http.patch(f"/connection-tests/{test_id}", json=body, headers=headers(api, test_id))


def state(api, test_id):
    return api.db.write(lambda conn: connection_tests.get(conn, api.encryption, test_id)).state.value


def test_a_worker_fetches_the_connection_once(api):
    test_id = make(api)

    assert {
        "conn_id": "db", "conn_type": "postgres", "host": "h", "schema": "s", "login": "me", "password": "p",
        "port": 5, "extra": '{"a": 1}',
    } == fetch(api, test_id).json()  # fmt: skip
    assert "running" == state(api, test_id)
    again = fetch(api, test_id)
    assert (409, "conflict") == (again.status_code, again.json()["detail"]["reason"])
    assert "running" == state(api, test_id)


@pytest.mark.parametrize("result", ["success", "failed"])
@pytest.mark.parametrize("fetched", [True, False])
def test_a_result_is_written_once(api, result, fetched):
    test_id = make(api)
    if fetched:
        fetch(api, test_id)

    assert 204 == end(api, test_id, result, result_message="x" * 2000).status_code
    other = "failed" if result == "success" else "success"
    assert [409, 409] == [end(api, test_id, each).status_code for each in (result, other)]
    assert result == state(api, test_id)
    assert 409 == fetch(api, test_id).status_code


@pytest.mark.parametrize(
    ("commit", "result", "stored"), [(True, "success", True), (True, "failed", False), (False, "success", False)]
)
def test_the_connection_is_stored_only_if_its_test_asks_for_that_and_succeeds(api, commit, result, stored):
    test_id = make(api, commit_on_success=commit)
    end(api, test_id, result)

    connection = api.db.read(lambda conn: connections.get(conn, api.encryption, "db"))
    assert (CONNECTION if stored else None) == connection


@pytest.mark.parametrize(
    "body",
    [
        {"state": "running"},
        {"state": "pending"},
        {"state": "well"},
        {},
        {"state": "success", "result_message": "x" * 2001},
        {"state": "success", "more": 1},
        {"state": "success", "result_message": 1},
    ],
)
def test_a_result_that_is_not_one_is_refused_and_changes_nothing(api, body):
    test_id = make(api)
    answer = api.http.patch(f"/connection-tests/{test_id}", json=body, headers=headers(api, test_id))

    assert 422 == answer.status_code
    assert "pending" == state(api, test_id)


def test_a_test_that_does_not_exist_is_not_found(api):
    test_id = str(uuid.uuid4())

    assert [404, 404] == [fetch(api, test_id).status_code, end(api, test_id).status_code]


def test_only_the_tests_own_workload_token_opens_it(api):
    test_id = make(api)
    path = f"/connection-tests/{test_id}/connection"
    other = api.http.get(path, headers=headers(api, str(uuid.uuid4())))
    execution = api.http.get(path, headers=api.own(test_id))

    assert (403, "Token subject does not match connection test ID") == (other.status_code, other.json()["detail"])
    assert 403 == execution.status_code
    assert "pending" == state(api, test_id)
