"""What tasks keep for assets, and who may: over HTTP, with a real database."""

import pytest
import sqlalchemy as sa

from airlock_server.rules.assets import Declarations, Pattern
from airlock_server.store import schema
from airlock_wire.assets import DeclaredAsset

ORDERS = DeclaredAsset(name="orders", uri="s3://sales/orders")
ALIAS = DeclaredAsset(type="AssetAlias", name="regional")
IN_OUTLETS, IN_INLETS = Declarations(outlets=(ORDERS,)), Declarations(inlets=(ORDERS,))


@pytest.fixture
def ti_id(api):
    return api.running(assets=IN_OUTLETS)


def at(api, ti_id, method, key=None, body=None, by="name", text="orders", end="value", **more):
    query = {by: text} | ({} if key is None else {"key": key}) | more
    return api.http.request(method, f"/store/asset/by-{by}/{end}", params=query, json=body, headers=api.own(ti_id))


def put(api, ti_id, key, value, **more):
    return at(api, ti_id, "PUT", key, {"value": value}, **more)


@pytest.mark.parametrize("value", [0, False, "", [], {"a": [1, None]}, 1.5, "ü\u2028"])
def test_a_value_comes_back_as_it_was_put(api, ti_id, value):
    assert 204 == put(api, ti_id, "watermark", value).status_code
    assert {"value": value} == at(api, ti_id, "GET", "watermark").json()


def test_name_and_uri_are_ways_to_one_store(api, ti_id):
    put(api, ti_id, "k", 1, by="uri", text=ORDERS.uri)
    assert {"value": 1} == at(api, ti_id, "GET", "k").json()
    assert 204 == put(api, ti_id, "k", 2).status_code
    assert {"value": 2} == at(api, ti_id, "GET", "k", by="uri", text=ORDERS.uri).json()


def test_a_value_outlives_the_task_instance_and_another_task_reads_it(api, ti_id):
    put(api, ti_id, "watermark", "2026-01-01")
    assert 204 == api.report(ti_id, "success").status_code
    consumer = api.running("consumer", run_id="next", assets=IN_INLETS)
    assert {"value": "2026-01-01"} == at(api, consumer, "GET", "watermark").json()


def test_a_value_is_removed_once_or_twice_and_clearing_takes_all(api, ti_id):
    for key in "abc":
        put(api, ti_id, key, 1)
    assert [204, 204] == [at(api, ti_id, "DELETE", "a").status_code for _ in range(2)]
    assert [404, 200, 200] == [at(api, ti_id, "GET", key).status_code for key in "abc"]
    assert [204, 204] == [at(api, ti_id, "DELETE", end="clear").status_code for _ in range(2)]
    assert [404, 404] == [at(api, ti_id, "GET", key).status_code for key in "bc"]


def test_the_store_notes_which_task_instance_wrote_last(api, ti_id):
    put(api, ti_id, "k", 1)
    second = api.running("second", map_index=3, assets=IN_INLETS)
    assert 204 == put(api, second, "k", 2).status_code
    columns = [schema.asset_state.c[name] for name in ("dag_id", "run_id", "task_id", "map_index")]
    assert [("dag", "run", "second", 3)] == api.db.read(lambda conn: conn.execute(sa.select(*columns)).all())


@pytest.mark.parametrize(
    "assets",
    [
        IN_INLETS,
        IN_OUTLETS,
        Declarations(inlets=(DeclaredAsset(type="AssetNameRef", name="orders"),)),
        Declarations(outlets=(DeclaredAsset(type="AssetUriRef", uri=ORDERS.uri),)),
        Declarations(patterns=(Pattern("state", "s3://sales/*"),)),
    ],
    ids=["inlet", "outlet", "name", "uri", "pattern"],
)
def test_what_a_task_declares_is_open_to_it(api, ti_id, assets):
    put(api, ti_id, "k", 1)
    other = api.running("other", assets=assets)
    assert {"value": 1} == at(api, other, "GET", "k").json()
    assert 204 == put(api, other, "k", 2).status_code


@pytest.mark.parametrize(
    "assets",
    [
        Declarations(),
        Declarations(inlets=(DeclaredAsset(type="AssetUriRef", uri="s3://elsewhere"),)),
        Declarations(inlets=(DeclaredAsset(type="AssetNameRef", name="customers"),)),
        Declarations(patterns=(Pattern("outlet", "*"), Pattern("state", "order"))),
    ],
    ids=["nothing", "another uri", "another name", "another pattern"],
)
def test_what_a_task_does_not_declare_is_closed_to_it(api, ti_id, assets):
    put(api, ti_id, "k", 1)
    stranger = api.running("stranger", assets=assets)
    answers = [at(api, stranger, "GET", "k"), put(api, stranger, "k", 2), at(api, stranger, "DELETE", "k")]
    answers += [at(api, stranger, "DELETE", end="clear")]
    assert [403] * 4 == [answer.status_code for answer in answers]
    assert "spec.inlets" in answers[0].json()["detail"]["message"]
    assert {"value": 1} == at(api, ti_id, "GET", "k").json()


def through_alias(api):
    """An asset that a task has given to an alias, and written."""
    producer = api.running("producer", assets=Declarations(outlets=(ALIAS,)))
    event = {"source_alias_name": "regional", "dest_asset_key": {"name": "north", "uri": "s3://north"}, "extra": {}}
    outlets = [{"type": "AssetAlias", "name": "regional"}]
    assert 204 == api.report(producer, "success", task_outlets=outlets, outlet_events=[event]).status_code


def test_an_inlet_that_is_an_alias_opens_the_assets_behind_it(api):
    through_alias(api)
    consumer = api.running("consumer", assets=Declarations(inlets=(ALIAS,)))
    assert 204 == put(api, consumer, "watermark", 7, text="north").status_code
    assert {"value": 7} == at(api, consumer, "GET", "watermark", text="north").json()


def test_an_outlet_that_is_an_alias_opens_none_and_neither_does_another_alias(api):
    through_alias(api)
    for task_id, assets in (
        ("outlet", Declarations(outlets=(ALIAS,))),
        ("other", Declarations(inlets=(DeclaredAsset(type="AssetAlias", name="global"),))),
    ):
        assert 403 == put(api, api.running(task_id, assets=assets), "k", 1, text="north").status_code


def test_a_token_of_no_task_instance_opens_nothing(api, ti_id):
    query = {"name": "orders", "key": "k"}
    assert 403 == api.http.get("/store/asset/by-name/value", params=query, headers=api.anyone).status_code


def test_an_asset_or_key_that_does_not_exist_is_not_found(api, ti_id):
    for answer in (at(api, ti_id, "GET", "k", text="no"), put(api, ti_id, "k", 1, by="uri", text="no")):
        assert (404, "not_found") == (answer.status_code, answer.json()["detail"]["reason"])
    assert "key 'k'" in at(api, ti_id, "GET", "k").json()["detail"]["message"]


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": 1, "expires_at": "2026-01-01T00:00:00Z"}, [1]])
def test_a_body_of_another_shape_is_refused(api, ti_id, body):
    assert 422 == at(api, ti_id, "PUT", "k", body).status_code


@pytest.mark.parametrize(
    "query", [{}, {"name": "orders"}, {"key": "k"}, {"name": "", "key": "k"}, {"name": "orders", "key": ""}]
)
def test_a_query_without_an_asset_or_a_key_is_refused(api, ti_id, query):
    answer = api.http.get("/store/asset/by-name/value", params=query, headers=api.own(ti_id))
    assert 422 == answer.status_code
    assert "query" == answer.json()["detail"][0]["loc"][0]


@pytest.mark.parametrize(("key", "status"), [("x" * 512, 204), ("x" * 513, 422), ("nul\0", 422)])
def test_a_key_that_a_database_cannot_hold_is_refused_on_both(api, ti_id, key, status):
    answer = put(api, ti_id, key, 1)
    assert status == answer.status_code
    assert status == 204 or ["query", "key"] == answer.json()["detail"][0]["loc"]
