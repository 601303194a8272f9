"""Variables, connections and XComs, over HTTP, with a real database."""

import itertools
import json

import httpx
import pytest
import sqlalchemy as sa

from airlock_server.store import connections, schema
from airlock_server.store.connections import Connection

XCOM = "/xcoms/dag/run/task"


@pytest.fixture
def http(api):
    api.queue()
    with httpx.Client(base_url=api.url, headers=api.anyone) as client:
        yield client


def test_a_variable_is_made_read_replaced_and_removed(http):
    assert 404 == http.get("/variables/a%2Fb").status_code
    assert 201 == http.put("/variables/a/b", json={"val": "1", "description": "d"}).status_code
    assert {"key": "a/b", "value": "1"} == http.get("/variables/a%2Fb").json()
    assert 201 == http.put("/variables/a/b", json={"value": None}).status_code
    assert {"key": "a/b", "value": None} == http.get("/variables/a/b").json()
    assert [204, 204] == [http.delete("/variables/a/b").status_code for _ in range(2)]
    assert "not_found" == http.get("/variables/a/b").json()["detail"]["reason"]


def test_variables_are_listed_by_prefix_and_page(http):
    for key in ("b_1", "bx1", "a", "keys"):
        http.put(f"/variables/{key}", json={"val": "x"})
    assert {"keys": ["a", "b_1", "bx1", "keys"], "total_entries": 4} == http.get("/variables/keys").json()
    assert ["b_1"] == http.get("/variables/keys?prefix=b_").json()["keys"]
    assert {"keys": ["b_1"], "total_entries": 4} == http.get("/variables/keys?limit=1&offset=1").json()


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "offset=-1"])
def test_a_page_has_bounds(http, query):
    answer = http.get(f"/variables/keys?{query}")
    assert 422 == answer.status_code
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize("body", [{}, {"val": 1}, {"val": "x", "extra": 1}, ["x"]])
def test_a_variable_of_another_shape_is_refused(http, body):
    assert 422 == http.put("/variables/k", json=body).status_code


def test_a_variable_needs_a_name(http):
    assert 422 == http.get("/variables/").status_code


def test_a_connection_is_read_with_every_key(api, http):
    assert 404 == http.get("/connections/db").status_code
    new = Connection(conn_id="db", conn_type="postgres", host="h", password="p@ss", extra='{"a": 1}')
    api.db.write(lambda conn: connections.put(conn, api.encryption, new))
    assert {
        "conn_id": "db",
        "conn_type": "postgres",
        "host": "h",
        "schema": None,
        "login": None,
        "password": "p@ss",
        "port": None,
        "extra": '{"a": 1}',
    } == http.get("/connections/db").json()


def test_no_secret_is_in_the_database_in_the_clear(api, http, tmp_path):
    new = Connection(conn_id="db", conn_type="postgres", password="the-password", extra='{"k": "the-extra"}')
    api.db.write(lambda conn: connections.put(conn, api.encryption, new))
    http.put("/variables/k", json={"val": "the-value"})
    rows = api.db.read(
        lambda conn: [
            tuple(row) for table in (schema.connection, schema.variable) for row in conn.execute(table.select())
        ]
    )
    # Of SQLite its files too, with what a table no longer shows.
    stored = repr(rows).encode() + b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"postgres" in stored
    for secret in (b"the-password", b"the-extra", b"the-value"):
        assert secret not in stored


@pytest.mark.parametrize("value", [None, 0, "text", [1, {"a": None}], {"é": "\u2028"}, 2**70, 1e300])
def test_an_xcom_comes_back_as_it_went_in(http, value):
    assert 201 == http.post(f"{XCOM}/k/l", json=value).status_code
    assert http.get(f"{XCOM}/k/l").json() == {"key": "k/l", "value": value}


def test_an_xcom_is_replaced_and_removed(http):
    assert "not_found" == http.get(f"{XCOM}/k").json()["detail"]["reason"]
    for value in (1, 2):
        http.post(f"{XCOM}/k", json=value)
    assert 2 == http.get(f"{XCOM}/k").json()["value"]
    assert [200, 200] == [http.delete(f"{XCOM}/k").status_code for _ in range(2)]
    assert 404 == http.get(f"{XCOM}/k").status_code


def test_an_xcom_needs_a_dag_run_and_a_key(http):
    answer = http.post("/xcoms/dag/absent/task/k", json=1)
    assert 404 == answer.status_code
    assert isinstance(answer.json()["detail"], str)
    assert 422 == http.post(f"{XCOM}/", json=1).status_code


def test_what_is_mapped_over_has_a_bound(http):
    assert 201 == http.post(f"{XCOM}/k?mapped_length=1024", json=[]).status_code
    answer = http.post(f"{XCOM}/k?mapped_length=1025", json=[])
    assert (400, "unmappable_return_value_length") == (answer.status_code, answer.json()["detail"]["reason"])


@pytest.mark.parametrize("body", [b"{", b"\xff", b'"\xff"', b"NaN", b"1 2", b"[" * 100_000])
def test_an_xcom_that_is_no_json_is_refused(http, body):
    answer = http.post(f"{XCOM}/k", content=body, headers={"content-type": "application/json"})
    assert 422 == answer.status_code
    assert 404 == http.get(f"{XCOM}/k").status_code


def test_an_xcom_must_say_that_it_is_json(http):
    assert 422 == http.post(f"{XCOM}/k", content=b"1").status_code


@pytest.fixture
def mapped(http):
    for i in (5, 0, 2):
        assert 201 == http.post(f"{XCOM}/k?map_index={i}", json=f"v{i}").status_code
    return http


def test_mapped_xcoms_are_counted(mapped):
    answer = mapped.head(f"{XCOM}/k")
    assert (200, "map_indexes 3") == (answer.status_code, answer.headers["content-range"])
    assert "map_indexes 0" == mapped.head(f"{XCOM}/absent").headers["content-range"]
    assert 400 == mapped.head(f"{XCOM}/k?map_index=0").status_code


@pytest.mark.parametrize(("offset", "value"), [(0, "v0"), (1, "v2"), (2, "v5"), (-1, "v5"), (-3, "v0")])
def test_a_mapped_xcom_is_found_by_its_place(mapped, offset, value):
    assert mapped.get(f"{XCOM}/k/item/{offset}").json() == value
    assert mapped.get(f"{XCOM}/k?offset={offset}").json()["value"] == value


@pytest.mark.parametrize("offset", [3, -4])
def test_a_place_beyond_the_ends_is_not_found(mapped, offset):
    assert 404 == mapped.get(f"{XCOM}/k/item/{offset}").status_code
    assert 404 == mapped.get(f"{XCOM}/k?offset={offset}").status_code


@pytest.mark.parametrize("step", [None, 0, 1, 2, -1, -2])
def test_a_slice_is_pythons(mapped, step):
    for start, stop in itertools.product([None, 0, 1, -2, 9, -9], [None, 0, 2, -1, 9, -9]):
        query = {"start": start, "stop": stop, "step": step}
        answer = mapped.get(f"{XCOM}/k/slice", params={name: n for name, n in query.items() if n is not None})
        assert answer.json() == ["v0", "v2", "v5"][slice(start, stop, step or None)], query


def test_a_place_that_is_no_number_is_refused(mapped):
    answer = mapped.get(f"{XCOM}/k/item/x")
    assert 422 == answer.status_code
    assert ["path", "offset"] == answer.json()["detail"][0]["loc"]
    assert 422 == mapped.get(f"{XCOM}/k?include_prior_dates=perhaps").status_code


def test_an_xcom_of_an_earlier_dag_run_is_found_where_it_is_asked_for(api, http):
    http.post(f"{XCOM}/k", json="first")
    api.queue(run_id="later")
    later = "/xcoms/dag/later/task"
    assert 404 == http.get(f"{later}/k").status_code
    assert "first" == http.get(f"{later}/k?include_prior_dates=true").json()["value"]
    http.post(f"{later}/k", json="second")
    assert "second" == http.get(f"{later}/k?include_prior_dates=true").json()["value"]
    assert "first" == http.get(f"{XCOM}/k?include_prior_dates=true").json()["value"]
    assert http.get(f"{later}/k/slice?include_prior_dates=true").json() in (["first", "second"], ["second", "first"])


def test_a_large_xcom_passes_through_untouched(http):
    body = json.dumps({"data": "x" * 1_900_000, "spaces": [1, 2]}, indent=1).encode()
    assert 201 == http.post(f"{XCOM}/k", content=body, headers={"content-type": "application/json"}).status_code
    assert body in http.get(f"{XCOM}/k").content


def test_a_stored_secret_that_was_moved_is_an_error_and_not_a_value(api, http):
    http.put("/variables/mine", json={"val": "secret"})
    table = schema.variable
    api.db.write(lambda conn: conn.execute(sa.update(table).values(key="yours")))
    answer = http.get("/variables/yours", headers={"correlation-id": "abc"})
    assert (500, {"message": "Internal server error", "correlation-id": "abc"}) == (answer.status_code, answer.json())
