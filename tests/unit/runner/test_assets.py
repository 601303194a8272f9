"""What the context's entries about assets ask, and what they make of the answers."""

import asyncio
import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from doubles.channel import PlayedChannel, played

from airlock.sdk import AirlockRuntimeError, Asset, AssetAlias, AssetNameRef, AssetUriRef, PermissionDenied
from airlock.sdk.exceptions import AirlockException
from airlock_runner.task.assets.events import InletEvents, OutletEvents
from airlock_runner.task.assets.state_store import AssetStateStores
from airlock_runner.task.stores.state_backend import AssetScope, TaskScope
from airlock_runner.task.stores.state_store import DEFAULTS, StoreSettings, TaskStateStore
from airlock_wire.protocol import lookups, stores
from airlock_wire.protocol.messages import ErrorResponse, ErrorType, OKResponse, TaskStateStoreResult, to_runner

A, B = Asset("a", "s3://x/a"), Asset("b", "s3://x/b")
ALIAS = AssetAlias("l")
KEY = {"name": "a", "uri": "s3://x/a"}
EVENT = {
    "id": 1, "timestamp": "2026-01-01T00:00:00Z", "extra": {"n": 1}, "asset": {**KEY, "group": "g", "extra": None},
    "created_dagruns": [], "source_dag_id": "d", "source_run_id": "r", "source_task_id": "t", "source_map_index": -1,
    "partition_key": None,
}  # fmt: skip


@pytest.fixture
def channel() -> Iterator[PlayedChannel]:
    with played() as channel:
        channel.answer = OKResponse(ok=True)
        yield channel


def known(**fields):
    return lookups.AssetResult(group="asset", **fields)


# --- state ---


def test_an_assets_store_is_found_by_the_asset_or_a_reference(channel):
    store = AssetStateStores((A, AssetUriRef("s3://x/c")), (B,), DEFAULTS)
    for key in (A, AssetNameRef("b"), AssetUriRef("s3://x/c")):
        store[key].set("k", (1,))
    assert [
        stores.SetAssetStateStoreByName(name="a", key="k", value=[1]),
        stores.SetAssetStateStoreByName(name="b", key="k", value=[1]),
        stores.SetAssetStateStoreByUri(uri="s3://x/c", key="k", value=[1]),
    ] == channel.asked


def test_the_only_assets_store_needs_no_index(channel):
    store = AssetStateStores((A,), (A,), DEFAULTS)
    channel.answer = stores.AssetStateStoreResult(value=3)
    assert 3 == store.get("k")
    channel.answer = ErrorResponse(error=ErrorType.ASSET_STORE_NOT_FOUND)
    assert 7 == store.get("k", 7)
    channel.answer = OKResponse(ok=True)
    store.delete("k")
    store.clear()
    assert [
        stores.GetAssetStateStoreByName(name="a", key="k"), stores.GetAssetStateStoreByName(name="a", key="k"),
        stores.DeleteAssetStateStoreByName(name="a", key="k"), stores.ClearAssetStateStoreByName(name="a"),
    ] == channel.asked  # fmt: skip


def test_a_task_with_an_event_loop_awaits_the_same_calls(channel):
    store = AssetStateStores((A,), (), DEFAULTS)

    async def calls(each):
        await each.aset("k", 1)
        await each.adelete("k")
        await each.aclear()

    for each in (store, store[A]):
        asyncio.run(calls(each))
    assert (
        2
        * [
            stores.SetAssetStateStoreByName(name="a", key="k", value=1),
            stores.DeleteAssetStateStoreByName(name="a", key="k"),
            stores.ClearAssetStateStoreByName(name="a"),
        ]
        == channel.asked
    )
    channel.answer = stores.AssetStateStoreResult(value=3)
    assert 3 == asyncio.run(store.aget("k"))
    channel.answer = ErrorResponse(error=ErrorType.ASSET_STORE_NOT_FOUND)
    assert 7 == asyncio.run(store[A].aget("k", 7))


@pytest.mark.parametrize("call", ["get", "delete"])
def test_with_several_assets_or_none_the_index_is_missed(channel, call):
    for assets, text in (((A, B), r"has 2 \(a, b\)"), ((), "has 0")):
        with pytest.raises(ValueError, match=text):
            getattr(AssetStateStores(assets, (), DEFAULTS), call)("k")
    assert [] == channel.asked


def test_an_alias_among_the_inlets_is_the_assets_that_it_has(channel):
    channel.answer = lookups.AssetsByAliasResult(assets=[known(**KEY)])
    store = AssetStateStores((ALIAS,), (), DEFAULTS)
    channel.answer = stores.AssetStateStoreResult(value=3)
    assert [3, 3, 3] == [store.get("k"), store[ALIAS].get("k"), store[A].get("k")]
    assert lookups.GetAssetsByAlias(alias_name="l") == channel.asked[0]


@pytest.mark.parametrize("count", [0, 2])
def test_an_alias_that_does_not_have_one_asset_is_no_index(channel, count):
    channel.answer = lookups.AssetsByAliasResult(assets=[known(**KEY), known(name="b", uri="b")][:count])
    store = AssetStateStores((ALIAS,), (), DEFAULTS)
    with pytest.raises(ValueError, match=f"has {count} assets"):
        store[ALIAS]


def test_an_alias_among_the_outlets_is_not_asked_for_and_has_no_store(channel):
    store = AssetStateStores((A,), (ALIAS,), DEFAULTS)
    with pytest.raises(KeyError, match="inlets and outlets"):
        store[ALIAS]
    with pytest.raises(KeyError):
        store[B]
    with pytest.raises(TypeError):
        store["a"]
    assert [] == channel.asked


@pytest.mark.parametrize(
    ("call", "error"),
    [(lambda s: s.set("k", None), ValueError), (lambda s: s.set("", 1), TypeError), (lambda s: s.get(3), TypeError)],
)
def test_what_cannot_be_kept_for_an_asset_is_refused_before_it_is_asked(channel, call, error):
    with pytest.raises(error):
        call(AssetStateStores((A,), (), DEFAULTS))
    assert [] == channel.asked


def test_a_refusal_is_raised_also_where_a_default_is_given(channel):
    store = AssetStateStores((A,), (), DEFAULTS)
    for kind, error in (
        (ErrorType.PERMISSION_DENIED, PermissionDenied),
        (ErrorType.GENERIC_ERROR, AirlockRuntimeError),
    ):
        channel.answer = ErrorResponse(error=kind)
        with pytest.raises(error):
            store.get("k", 1)


# --- backends ---


class Kept:
    """A backend that notes its calls."""

    calls: ClassVar[list] = []

    def serialize_asset_state_store_to_ref(self, **more):
        self.calls.append(more)
        return "there"

    serialize_task_state_store_to_ref = serialize_asset_state_store_to_ref

    def deserialize_asset_state_store_from_ref(self, reference):
        return [reference]

    deserialize_task_state_store_from_ref = deserialize_asset_state_store_from_ref

    def delete(self, *args):
        self.calls.append(args)

    def clear(self, *args, **more):
        self.calls.append((*args, more))


@pytest.fixture
def backend(monkeypatch):
    module = types.ModuleType("kept_elsewhere")
    module.Kept = Kept
    monkeypatch.setitem(sys.modules, "kept_elsewhere", module)
    monkeypatch.setattr(Kept, "calls", [])
    return StoreSettings(worker_backend="kept_elsewhere.Kept")


def test_a_backend_keeps_the_values_and_the_server_a_reference(channel, backend):
    store, task_key = AssetStateStores((A,), (), backend), ("d", "r", "t", 4)
    kept = TaskStateStore("ti", task_key, backend)
    store.set("k", 1)
    kept.set("k", 2)
    reference = {"__airflow_state_ref__": "there"}
    assert [reference, reference] == [message.value for message in channel.asked]
    channel.answer = stores.AssetStateStoreResult(value=reference)
    assert ["there"] == store.get("k")
    channel.answer = TaskStateStoreResult(value=reference)
    assert ["there"] == kept.get("k")
    channel.answer = OKResponse(ok=True)
    store.delete("k")
    store.clear()
    kept.delete("k")
    kept.clear(all_map_indices=True)
    asset, task = AssetScope(name="a"), TaskScope(*task_key)
    assert [
        {"value": 1, "key": "k", "scope": asset}, {"value": 2, "key": "k", "scope": task}, (asset, "k"), (asset, {}),
        (task, "k"), (task, {"all_map_indices": True}),
    ] == Kept.calls  # fmt: skip


def test_a_value_that_no_backend_kept_is_returned_itself(channel, backend):
    channel.answer = stores.AssetStateStoreResult(value={"a": 1})
    assert {"a": 1} == AssetStateStores((A,), (), backend).get("k")


@pytest.mark.parametrize("path", ["no_such_module.Class", "kept_elsewhere.No", "Kept"])
def test_a_backend_that_cannot_be_loaded_is_named_with_its_setting(channel, backend, path):
    store = AssetStateStores((A,), (), StoreSettings(worker_backend=path))
    with pytest.raises(AirlockException, match=r"\[state_store\] worker_backend"):
        store.set("k", 1)


# --- events ---


def test_what_a_task_says_of_its_outlets_goes_into_its_report(channel):
    events = OutletEvents()
    events[A].extra = {"n": 1}
    events[B].add_partitions(["y", "x"])
    events[ALIAS].add(A, {"n": 2})
    assert [
        {"dest_asset_key": KEY, "extra": {"n": 1}},
        {"dest_asset_key": {"name": "b", "uri": "s3://x/b"}, "extra": {}, "partition_key": "x"},
        {"dest_asset_key": {"name": "b", "uri": "s3://x/b"}, "extra": {}, "partition_key": "y"},
        {"source_alias_name": "l", "dest_asset_key": KEY, "dest_asset_extra": {}, "extra": {"n": 2}},
    ] == events.as_wire()
    assert [] == channel.asked


def test_a_reference_stands_for_the_asset_that_the_server_has(channel):
    channel.answer = known(**KEY)
    events = OutletEvents()
    events[AssetNameRef("a")].extra["n"] = 1
    events[AssetUriRef("s3://x/a")].extra["m"] = 2
    assert [{"dest_asset_key": KEY, "extra": {"n": 1, "m": 2}}] == events.as_wire()
    channel.answer = ErrorResponse(error=ErrorType.ASSET_NOT_FOUND)
    with pytest.raises(AirlockRuntimeError, match="no such asset"):
        events[AssetNameRef("no")]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda e: e[A].add(B), TypeError),
        (lambda e: e[ALIAS].add_partitions("x"), TypeError),
        (lambda e: e[A].add_partitions(" "), ValueError),
        (lambda e: e[A].add_partitions(["x" * 251]), ValueError),
        (lambda e: e["a"], TypeError),
    ],
)
def test_what_an_outlet_cannot_say_is_refused(channel, call, error):
    with pytest.raises(error):
        call(OutletEvents())


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ({"name": "a", "uri": "s3://x/a"}, ("a", "s3://x/a")),
        ({"name": "a"}, ("a", None)),
        ({"uri": "s3://x/a"}, (None, "s3://x/a")),
    ],
)
def test_a_template_names_an_asset_by_words(channel, words, question):
    channel.answer = lookups.AssetEventsResult(asset_events=[EVENT])
    events = InletEvents((A, ALIAS)).for_asset(**words)

    assert [{"n": 1}] == [each.extra for each in events]
    [message] = channel.asked
    assert question == (message.name, message.uri)


def test_a_template_names_an_alias_by_words_and_an_outlet_too(channel):
    channel.answer = lookups.AssetEventsResult(asset_events=[])
    assert [] == list(InletEvents((A, ALIAS)).for_asset_alias(name="l"))
    assert "l" == channel.asked[0].alias_name

    outlets = OutletEvents()
    outlets.for_asset(name="a", uri="s3://x/a").extra = {"n": 2}
    assert {"n": 2} == outlets[A].extra


def test_an_asset_without_name_and_uri_and_one_that_is_not_an_inlet_are_refused(channel):
    with pytest.raises(ValueError, match=r"for_asset\(\) takes the asset's name, its uri, or both"):
        InletEvents((A,)).for_asset()
    with pytest.raises(KeyError, match="is not among this task's inlets"):
        InletEvents((A,)).for_asset(name="b")


def test_the_events_of_an_inlet_are_asked_for_at_their_first_use_and_once(channel):
    channel.answer = lookups.AssetEventsResult(asset_events=[EVENT, EVENT])
    inlets = InletEvents((A, AssetNameRef("n"), AssetUriRef("u"), ALIAS))
    events = (
        inlets[A].after("2026-01-01T00:00:00+00:00").before(datetime(2026, 2, 1, tzinfo=UTC)).ascending(False).limit(2)
    )
    assert [] == channel.asked
    assert [2, {"n": 1}, "t"] == [len(events), events[0].extra, events[-1].source_task_id]
    window = {
        "after": datetime(2026, 1, 1, tzinfo=UTC),
        "before": datetime(2026, 2, 1, tzinfo=UTC),
        "ascending": False,
        "limit": 2,
    }
    assert [lookups.GetAssetEventByAsset(name="a", uri="s3://x/a", **window)] == channel.asked
    for key in (1, 2, ALIAS):
        assert 2 == len(list(inlets[key]))
    assert [
        lookups.GetAssetEventByAsset(name="n", uri=None), lookups.GetAssetEventByAsset(name=None, uri="u"),
        lookups.GetAssetEventByAssetAlias(alias_name="l"),
    ] == channel.asked[1:]  # fmt: skip
    with pytest.raises(KeyError):
        inlets[B]


def test_the_answers_about_assets_are_known_to_the_runner():
    body = {"type": "AssetResult", **KEY, "group": "g", "extra": None}
    assert lookups.AssetResult(**KEY, group="g") == to_runner(body)
    assert stores.AssetStateStoreResult(value=1) == to_runner({"type": "AssetStateStoreResult", "value": 1})
