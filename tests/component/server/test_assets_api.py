"""Assets, aliases and their events, as tasks ask for them: over HTTP, with a real database."""

import pytest
import sqlalchemy as sa

from airlock_server.rules.assets import Declarations
from airlock_server.store import schema
from airlock_wire.assets import MAX_BYTES, DeclaredAsset

ORDERS = DeclaredAsset(name="orders", uri="s3://sales/orders", group="sales", extra={"owner": "me"})
SHOWN = {"name": "orders", "uri": "s3://sales/orders", "group": "sales", "extra": {"owner": "me"}}


def get(api, path, **query):
    return api.http.get(path, params=query, headers=api.anyone)


def write(api, run_id, extra, asset=ORDERS, **more):
    """A task that writes the asset; its id."""
    ti_id = api.running("write", run_id=run_id, assets=Declarations(outlets=(asset,)))
    key = {"name": asset.name, "uri": asset.uri}
    event = {"dest_asset_key": key, "extra": extra, **more}
    answer = api.report(ti_id, "success", task_outlets=[{"type": "Asset", **key}], outlet_events=[event])
    assert 204 == answer.status_code, answer.text
    return ti_id


def extras(api, path="/asset-events/by-asset", **query):
    answer = get(api, path, **({"name": "orders", "uri": ""} | query))
    assert 200 == answer.status_code, answer.text
    return [event["extra"] for event in answer.json()["asset_events"]]


def test_what_a_task_declares_is_found_by_name_and_by_uri(api):
    api.queue(assets=Declarations(inlets=(ORDERS,)))
    assert SHOWN == get(api, "/assets/by-name", name="orders").json()
    assert SHOWN == get(api, "/assets/by-uri", uri="s3://sales/orders").json()


def test_a_ref_and_an_alias_are_no_assets(api):
    refs = (DeclaredAsset(type="AssetNameRef", name="a"), DeclaredAsset(type="AssetUriRef", uri="b"))
    api.queue(assets=Declarations(inlets=refs, outlets=(DeclaredAsset(type="AssetAlias", name="c"),)))
    assert [404, 404, 404] == [get(api, "/assets/by-name", name=name).status_code for name in "abc"]
    assert [] == get(api, "/assets/by-alias", alias_name="c").json()


def test_what_does_not_exist_is_not_found_but_an_alias_is_empty(api):
    for path, query in (("by-name", {"name": "no"}), ("by-uri", {"uri": "no"})):
        answer = get(api, f"/assets/{path}", **query)
        assert (404, "not_found") == (answer.status_code, answer.json()["detail"]["reason"])
    assert [] == get(api, "/assets/by-alias", alias_name="no").json()


@pytest.mark.parametrize(
    "path", ["/assets/by-name", "/assets/by-uri", "/assets/by-alias", "/asset-events/by-asset-alias"]
)
def test_a_query_without_its_parameter_is_refused(api, path):
    assert 422 == get(api, path).status_code


@pytest.mark.parametrize("path", ["/assets/by-name?name=", "/assets/by-uri?uri=", "/asset-events/by-asset?uri=&name="])
def test_a_text_that_postgresql_cannot_hold_is_refused_on_both_databases(api, path):
    answer = get(api, f"{path}a%00b")
    assert 422 == answer.status_code
    assert "query" == answer.json()["detail"][0]["loc"][0]


def test_an_event_says_what_was_written_by_whom(api):
    write(api, "first", {"rows": 3}, partition_key="2026-01")
    (event,) = get(api, "/asset-events/by-asset", name="orders", uri="s3://sales/orders").json()["asset_events"]
    assert SHOWN == event["asset"]
    assert {"rows": 3} == event["extra"]
    assert ["dag", "first", "write", -1] == [
        event[f"source_{name}"] for name in ("dag_id", "run_id", "task_id", "map_index")
    ]
    assert "2026-01" == event["partition_key"]
    assert [] == event["created_dagruns"]


def test_events_are_chosen_by_time_and_come_in_order(api):
    for number in range(3):
        write(api, f"run{number}", {"n": number})
    events = get(api, "/asset-events/by-asset", name="orders", uri="").json()["asset_events"]
    middle = events[1]["timestamp"]
    assert [{"n": 0}, {"n": 1}, {"n": 2}] == extras(api)
    assert [{"n": 2}, {"n": 1}, {"n": 0}] == extras(api, ascending="false")
    assert [{"n": 1}, {"n": 2}] == extras(api, after=middle)
    assert [{"n": 0}, {"n": 1}] == extras(api, before=middle)
    assert [{"n": 2}] == extras(api, ascending="false", limit=1)
    assert [{"n": 0}, {"n": 1}, {"n": 2}] == extras(api, limit=0)
    assert [{"n": 0}, {"n": 1}, {"n": 2}] == extras(api, name="", uri="s3://sales/orders")
    assert [] == extras(api, uri="s3://elsewhere")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"name": "", "uri": ""}, 400),
        ({"name": "orders"}, 422),
        ({"uri": "s3://sales/orders"}, 422),
        ({"name": "orders", "uri": "", "after": "yesterday"}, 422),
        ({"name": "orders", "uri": "", "before": "2026-01-01T00:00:00"}, 422),
        ({"name": "orders", "uri": "", "limit": "some"}, 422),
        ({"name": "orders", "uri": "", "limit": "-1"}, 422),
        ({"name": "orders", "uri": "", "ascending": "up"}, 422),
    ],
)
def test_a_query_for_events_that_is_wrong_is_refused(api, query, status):
    assert status == get(api, "/asset-events/by-asset", **query).status_code


def test_inlets_and_outlets_that_are_not_active_are_named(api):
    api.queue("first", assets=Declarations(outlets=(ORDERS,)))

    def elsewhere(conn):
        conn.execute(sa.update(schema.asset).values(declared_by="/another"))

    api.db.write(elsewhere)
    rival = DeclaredAsset(name="orders", uri="s3://rival")
    ti_id = api.running("second", assets=Declarations(inlets=(ORDERS,), outlets=(rival,)))
    answer = api.call("GET", ti_id, "validate-inlets-and-outlets")
    assert {"inactive_assets": [{"name": "orders", "uri": "s3://rival", "type": "Asset"}]} == answer.json()
    assert SHOWN == get(api, "/assets/by-name", name="orders").json()


def test_a_task_without_assets_has_no_inactive_ones_and_an_unknown_task_is_not_found(api):
    assert {"inactive_assets": []} == api.call("GET", api.running(), "validate-inlets-and-outlets").json()
    missing = "01890000-0000-7000-8000-000000000009"
    assert 404 == api.call("GET", missing, "validate-inlets-and-outlets").status_code


def test_an_asset_that_its_dag_declares_with_another_uri_takes_the_place_of_the_old_one(api):
    api.queue("first", assets=Declarations(outlets=(ORDERS,)))
    moved = DeclaredAsset(name="orders", uri="s3://moved")
    api.queue("second", assets=Declarations(outlets=(moved,)))
    assert "s3://moved" == get(api, "/assets/by-name", name="orders").json()["uri"]
    assert 404 == get(api, "/assets/by-uri", uri=ORDERS.uri).status_code
    api.queue("third", assets=Declarations(outlets=(ORDERS,)))
    assert ORDERS.uri == get(api, "/assets/by-name", name="orders").json()["uri"]


def test_the_longest_name_and_uri_have_room(api):
    long = DeclaredAsset(name="n" * MAX_BYTES, uri="ü" * (MAX_BYTES // 2))
    write(api, "run", {"n": 1}, long)
    assert long.uri == get(api, "/assets/by-name", name=long.name).json()["uri"]


def test_a_newer_declaration_of_the_same_asset_changes_its_group_and_extras(api):
    for run_id, extra in (("a", {"v": 1}), ("b", {"v": 2})):
        api.queue(run_id=run_id, assets=Declarations(outlets=(DeclaredAsset(name="x", uri="x", extra=extra),)))
    assert {"v": 2} == get(api, "/assets/by-name", name="x").json()["extra"]
