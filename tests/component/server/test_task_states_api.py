"""What a task keeps between its tries, over HTTP, with a real database."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from airlock_server.store import schema


@pytest.fixture
def ti_id(api):
    return api.running()


def at(api, ti_id, method, key="", body=None, headers=None):
    path = f"/store/ti/{ti_id}{f'/{key}' if key else ''}"
    return api.http.request(method, path, json=body, headers=headers or api.own(ti_id))


def put(api, ti_id, key, value, **more):
    return at(api, ti_id, "PUT", key, {"value": value, **more})


@pytest.mark.parametrize("value", [0, False, "", [], {"a": [1, None]}, 1.5, "ü\u2028"])
def test_a_value_comes_back_as_it_was_put(api, ti_id, value):
    assert 204 == put(api, ti_id, "watermark", value).status_code
    assert {"value": value} == at(api, ti_id, "GET", "watermark").json()


def test_a_key_may_have_slashes_and_a_second_put_replaces(api, ti_id):
    assert [204, 204] == [put(api, ti_id, "a/b", n).status_code for n in (1, 2)]
    assert {"value": 2} == at(api, ti_id, "GET", "a/b").json()
    assert 404 == at(api, ti_id, "GET", "a").status_code


def test_a_value_is_removed_once_or_twice(api, ti_id):
    put(api, ti_id, "k", 1)
    assert [204, 204] == [at(api, ti_id, "DELETE", "k").status_code for _ in range(2)]
    assert "not_found" == at(api, ti_id, "GET", "k").json()["detail"]["reason"]


def test_clearing_takes_the_values_of_this_map_index_alone(api):
    first, second = (api.running(map_index=index) for index in (0, 1))
    for each in (first, second):
        put(api, each, "k", 1)
        put(api, each, "l", 1)
    assert 204 == at(api, first, "DELETE").status_code
    assert [404, 404] == [at(api, first, "GET", key).status_code for key in "kl"]
    assert [200, 200] == [at(api, second, "GET", key).status_code for key in "kl"]


def test_a_retry_finds_what_the_try_before_it_kept_and_the_old_id_opens_nothing(api, ti_id):
    put(api, ti_id, "offset", 41)
    assert 204 == api.report(ti_id, "up_for_retry").status_code
    again = api.queue(try_number=2)
    api.run(again)
    assert {"value": 41} == at(api, again, "GET", "offset").json()
    assert 404 == at(api, ti_id, "GET", "offset").status_code
    assert 404 == put(api, ti_id, "offset", 1).status_code


def test_a_value_whose_time_has_passed_is_not_there_and_leaves_the_table(api, ti_id):
    past, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    put(api, ti_id, "old", 1, expires_at=past.isoformat())
    put(api, ti_id, "new", 1, expires_at=later.isoformat())
    assert [404, 200] == [at(api, ti_id, "GET", key).status_code for key in ("old", "new")]
    keys = api.db.read(lambda conn: conn.scalars(sa.select(schema.task_state.c.key)).all())
    assert ["new"] == list(keys)


@pytest.mark.parametrize(
    "body", [{}, {"value": None}, {"value": 1, "ttl": 3}, {"value": 1, "expires_at": "2026-01-01T00:00:00"}, [1]]
)
def test_a_body_of_another_shape_is_refused(api, ti_id, body):
    assert 422 == at(api, ti_id, "PUT", "k", body).status_code


@pytest.mark.parametrize("text", ['{"value": NaN}', '{"value": 1e999}', '{"value": Infinity}'])
def test_a_number_that_is_not_finite_is_refused(api, ti_id, text):
    headers = api.own(ti_id) | {"content-type": "application/json"}
    answer = api.http.put(f"/store/ti/{ti_id}/k", content=text, headers=headers)
    assert 422 == answer.status_code, answer.text


def test_another_task_instance_opens_nothing(api, ti_id):
    put(api, ti_id, "k", 1)
    stranger = api.own(api.running("other"))
    answers = [at(api, ti_id, method, "k", body, stranger) for method, body in (("GET", None), ("PUT", {"value": 2}))]
    answers += [at(api, ti_id, "DELETE", "k", headers=stranger), at(api, ti_id, "DELETE", headers=stranger)]
    assert [403] * 4 == [answer.status_code for answer in answers]
    assert {"value": 1} == at(api, ti_id, "GET", "k").json()


def test_what_does_not_exist_is_not_found(api):
    missing = "01890000-0000-7000-8000-000000000009"
    assert 404 == at(api, missing, "GET", "k").status_code
    assert 404 == put(api, missing, "k", 1).status_code


def test_clearing_a_task_takes_the_values_of_every_map_index_of_its_run(api):
    ids = {index: api.running(map_index=index) for index in (0, 1, 4)}
    elsewhere = api.running(run_id="next", map_index=0)
    for each in (*ids.values(), elsewhere):
        put(api, each, "k", 1)
    at(api, ids[1], "DELETE")
    assert [200, 404, 200] == [at(api, each, "GET", "k").status_code for each in ids.values()]
    path = f"/store/task/{ids[4]}"
    assert 403 == api.http.delete(path, headers=api.own(ids[0])).status_code
    assert [204, 204] == [api.http.delete(path, headers=api.own(ids[4])).status_code for _ in range(2)]
    assert [404, 404, 404] == [at(api, each, "GET", "k").status_code for each in ids.values()]
    assert 200 == at(api, elsewhere, "GET", "k").status_code
