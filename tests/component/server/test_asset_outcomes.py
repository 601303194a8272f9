"""What a success does to assets: once, in the transaction of its state, and only for what was declared."""

import threading

import pytest
import sqlalchemy as sa

from airlock_server.rules.assets import Declarations, Pattern
from airlock_server.store import schema
from airlock_wire.assets import DeclaredAsset

A, B = (DeclaredAsset(name=name, uri=f"s3://{name}") for name in "ab")
ALIAS = DeclaredAsset(type="AssetAlias", name="regional")
PROFILE = {"type": "Asset", "name": "a", "uri": "s3://a"}
KEY = {"name": "a", "uri": "s3://a"}


def events(api, *names):
    """The events' assets, extras, partition keys and aliases, in order."""
    e, a = schema.asset_event.c, schema.asset.c
    aliases = sa.select(schema.asset_alias.c.name).join(
        schema.alias_of_event, schema.alias_of_event.c.alias_id == schema.asset_alias.c.id
    )

    def look(conn):
        rows = conn.execute(
            sa.select(e.id, a.name, e.extra, e.partition_key).join(schema.asset, a.id == e.asset_id).order_by(e.id)
        )
        of = lambda number: sorted(conn.scalars(aliases.where(schema.alias_of_event.c.event_id == number)))  # noqa: E731
        return [(row.name, row.extra, row.partition_key, of(row.id)) for row in rows.all()]

    return api.db.read(look)


def succeed(api, assets, outlets=(), said=(), task_id="task", **more):
    ti_id = api.running(task_id, assets=assets, **more)
    answer = api.report(ti_id, "success", task_outlets=list(outlets), outlet_events=list(said))
    assert 204 == answer.status_code, answer.text
    return ti_id


def test_an_outlet_has_an_event_even_if_the_task_says_nothing_of_it(api):
    succeed(api, Declarations(outlets=(A,)), [PROFILE])
    assert [("a", {}, None, [])] == events(api)


def test_a_report_that_comes_again_adds_nothing(api):
    ti_id = succeed(api, Declarations(outlets=(A,)), [PROFILE, PROFILE])
    for _ in range(2):
        assert 200 == api.report(ti_id, "success", task_outlets=[PROFILE]).status_code
    assert 1 == len(events(api))


@pytest.mark.parametrize("state", ["failed", "skipped", "up_for_retry"])
def test_only_a_success_writes_assets(api, state):
    ti_id = api.running(assets=Declarations(outlets=(A,)))
    assert 204 == api.report(ti_id, state).status_code
    assert [] == events(api)


def test_a_report_that_is_refused_adds_nothing(api):
    ti_id = api.running(assets=Declarations(outlets=(A,)))
    said = {"dest_asset_key": KEY, "extra": {}, "partition_key": " "}
    assert 422 == api.report(ti_id, "success", task_outlets=[PROFILE], outlet_events=[said]).status_code
    assert [] == events(api)


def test_each_partition_has_an_event(api):
    said = [{"dest_asset_key": KEY, "extra": {"n": 1}, "partition_key": key} for key in ("mon", "tue")]
    succeed(api, Declarations(outlets=(A,)), [PROFILE], said)
    assert [("a", {"n": 1}, "mon", []), ("a", {"n": 1}, "tue", [])] == events(api)


def test_refs_mean_the_asset_of_the_name_or_uri_and_none_where_there_is_none(api):
    refs = (DeclaredAsset(type="AssetNameRef", name="a"), DeclaredAsset(type="AssetUriRef", uri="s3://b"))
    outlets = [{"type": "AssetNameRef", "name": "a"}, {"type": "AssetUriRef", "uri": "s3://b"}]
    succeed(api, Declarations(outlets=refs), outlets)
    assert [] == events(api)
    api.queue("declares", assets=Declarations(inlets=(A, B)))
    succeed(api, Declarations(outlets=refs), outlets, task_id="again")
    assert ["a", "b"] == [name for name, *_ in events(api)]


@pytest.mark.parametrize(
    "assets",
    [
        Declarations(),
        Declarations(inlets=(A,)),
        Declarations(outlets=(B,)),
        Declarations(patterns=(Pattern("outlet", "a"),)),
    ],
    ids=["nothing", "an inlet", "another outlet", "a pattern of the name alone"],
)
def test_what_was_not_declared_as_an_outlet_has_no_event(api, assets):
    ti_id = succeed(api, assets, [PROFILE], [{"dest_asset_key": KEY, "extra": {}}])
    assert [] == events(api)
    assert "success" == api.row(ti_id).state


def test_patterns_for_name_and_uri_open_an_outlet(api):
    succeed(api, Declarations(patterns=(Pattern("outlet", "?"), Pattern("outlet", "s3://*"))), [PROFILE])
    assert [("a", {}, None, [])] == events(api)


def given(name, alias="regional", **extra):
    key = {"name": name, "uri": f"s3://{name}"}
    return {"source_alias_name": alias, "dest_asset_key": key, "dest_asset_extra": {"made": 1}, "extra": extra}


def test_an_alias_gets_assets_that_are_made_if_they_do_not_exist(api):
    outlets = [{"type": "AssetAlias", "name": "regional"}]
    succeed(api, Declarations(outlets=(ALIAS,)), outlets, [given("north", n=1), given("south")])
    assert {("north", ("regional",)), ("south", ("regional",))} == {(name, tuple(of)) for name, _, _, of in events(api)}
    answer = api.http.get("/assets/by-alias", params={"alias_name": "regional"}, headers=api.anyone).json()
    assert {"north", "south"} == {asset["name"] for asset in answer}
    assert [{"made": 1}] * 2 == [asset["extra"] for asset in answer]
    through = api.http.get("/asset-events/by-asset-alias", params={"name": "regional"}, headers=api.anyone).json()
    assert {"north", "south"} == {event["asset"]["name"] for event in through["asset_events"]}


def test_two_aliases_that_say_the_same_have_one_event(api):
    both = Declarations(outlets=(ALIAS, DeclaredAsset(type="AssetAlias", name="global")))
    outlets = [{"type": "AssetAlias", "name": name} for name in ("regional", "global")]
    succeed(api, both, outlets, [given("north"), given("north", "global"), given("north", rows=2)])
    assert [["global", "regional"], ["regional"]] == sorted(of for *_, of in events(api))


def test_the_events_of_an_alias_have_the_order_in_which_the_task_wrote_its_assets(api):
    outlets = [{"type": "AssetAlias", "name": "regional"}]
    succeed(api, Declarations(outlets=(ALIAS,)), outlets, [given("south"), given("north"), given("east")])
    assert ["south", "north", "east"] == [name for name, *_ in events(api)]


def test_an_alias_that_is_not_an_outlet_gets_nothing(api):
    outlets = [{"type": "AssetAlias", "name": "regional"}]
    succeed(api, Declarations(inlets=(ALIAS,)), outlets, [given("north")])
    succeed(api, Declarations(outlets=(ALIAS,)), [], [given("north")], task_id="unsaid")
    assert [] == events(api)


def test_an_asset_that_is_not_active_has_no_event(api):
    api.queue("first", assets=Declarations(outlets=(A,)))
    api.db.write(lambda conn: conn.execute(sa.update(schema.asset).values(declared_by="/another")))
    rival = DeclaredAsset(name="a", uri="s3://rival")
    succeed(
        api, Declarations(outlets=(rival,)), [{"type": "Asset", "name": "a", "uri": "s3://rival"}], task_id="second"
    )
    assert [] == events(api)


def test_tasks_that_succeed_at_once_register_an_asset_once_and_write_it_each(api):
    outlets = [{"type": "AssetAlias", "name": "regional"}]
    ids = [api.running(f"t{n}", assets=Declarations(outlets=(A, B, ALIAS))) for n in range(6)]
    statuses = []

    def report(ti_id, names):
        said = [given(name) for name in names]
        answer = api.report(ti_id, "success", task_outlets=[PROFILE, *outlets], outlet_events=said)
        statuses.append(answer.status_code)

    threads = [
        threading.Thread(target=report, args=(ti_id, ["north", "south"][:: 1 if n % 2 else -1]))
        for n, ti_id in enumerate(ids)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [204] * 6 == statuses
    names = api.db.read(lambda conn: conn.scalars(sa.select(schema.asset.c.name)).all())
    assert ["a", "b", "north", "south"] == sorted(names)
    assert 18 == len(events(api))


def test_what_a_task_instance_keeps_is_removed_at_its_success_where_that_is_set(api, db):
    from airlock_server.api.serve import EmbeddedServer
    from airlock_server.settings import StateStoreSettings

    settings = StateStoreSettings(clear_on_success=True)
    with EmbeddedServer(db, api.tokens, api.encryption, state_store=settings) as server:
        for state, status in (("success", 404), ("failed", 200)):
            ti_id = api.running(state)
            path = f"/store/ti/{ti_id}/k"
            assert 204 == api.http.put(path, json={"value": 1}, headers=api.own(ti_id)).status_code
            body = {"state": state, "end_date": "2026-01-01T00:00:00Z"}
            url = f"{server.url}/task-instances/{ti_id}/state"
            assert 204 == api.http.patch(url, json=body, headers=api.own(ti_id)).status_code
            assert status == api.http.get(path, headers=api.own(ti_id)).status_code
