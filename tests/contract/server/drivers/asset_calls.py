"""
Runs in Airflow's environment: Airflow's own client makes every call about assets that our server serves.

Reads ``{"url", "tis": {name: {"id", "token"}}}`` from standard input; an assertion that fails fails the test.
"""

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta

from airflow.sdk.api.client import Client, ServerResponseError
from airflow.sdk.api.datamodels._generated import AssetProfile, AssetResponse
from airflow.sdk.execution_time.comms import ErrorResponse

given = json.load(sys.stdin)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORDERS = {"name": "orders", "uri": "s3://sales/orders"}


def started(name):
    ti = given["tis"][name]
    client = Client(base_url=given["url"], token=ti["token"])
    client.task_instances.start(uuid.UUID(ti["id"]), 1, NOW)
    return client, uuid.UUID(ti["id"])


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ServerResponseError as e:
        if e.response.status_code == status:
            return e.detail
        raise
    raise AssertionError(f"{call} was not refused")


client, ti_id = started("producer")
assert [] == client.task_instances.validate_inlets_and_outlets(ti_id).inactive_assets
assert isinstance(client.asset_state_store.get("watermark", name="orders"), ErrorResponse)
for by in ({"name": "orders"}, {"uri": "s3://sales/orders"}):
    client.asset_state_store.set("a/b ü", {"n": [1, None]}, **by)
    assert {"n": [1, None]} == client.asset_state_store.get("a/b ü", **by).value
    client.asset_state_store.delete("a/b ü", **by)
    client.asset_state_store.delete("a/b ü", **by)
    assert isinstance(client.asset_state_store.get("a/b ü", **by), ErrorResponse)
    client.asset_state_store.set("watermark", 1, **by)
    client.asset_state_store.clear(**by)
    assert isinstance(client.asset_state_store.get("watermark", **by), ErrorResponse)
client.asset_state_store.set("watermark", 7, name="orders")
assert "not_found" == refused(404, client.asset_state_store.set, "k", 1, name="absent")["reason"]

outlets = [AssetProfile(type="Asset", **ORDERS), AssetProfile(type="AssetAlias", name="regional")]
north = {"name": "north", "uri": "s3://north"}
events = [
    {"dest_asset_key": ORDERS, "extra": {"rows": 1}, "partition_key": "jan"},
    {
        "source_alias_name": "regional",
        "dest_asset_key": north,
        "dest_asset_extra": {"made": True},
        "extra": {"rows": 2},
    },
]
for _ in range(2):
    client.task_instances.succeed(ti_id, NOW + timedelta(seconds=5), outlets, events, None)

client, ti_id = started("consumer")
asset = client.assets.get(name="orders")
assert isinstance(asset, AssetResponse), asset
assert ("orders", "s3://sales/orders", "asset") == (asset.name, asset.uri, asset.group)
assert asset == client.assets.get(uri="s3://sales/orders")
assert isinstance(client.assets.get(name="absent"), ErrorResponse)
(behind,) = client.assets.get_by_alias("regional").assets
assert ("north", {"made": True}) == (behind.name, behind.extra)
assert [] == client.assets.get_by_alias("absent").assets

for by in ({"name": "orders"}, {"uri": "s3://sales/orders"}, ORDERS):
    (event,) = client.asset_events.get(**by).asset_events
    assert ({"rows": 1}, "producer", "jan") == (event.extra, event.source_task_id, event.partition_key), event
(event,) = client.asset_events.get(alias_name="regional", limit=1, ascending=False).asset_events
assert ("north", {"rows": 2}, []) == (event.asset.name, event.extra, event.created_dagruns)
later = event.timestamp + timedelta(seconds=1)
assert [] == client.asset_events.get(name="orders", after=later).asset_events
assert 1 == len(client.asset_events.get(name="orders", before=later).asset_events)

assert 7 == client.asset_state_store.get("watermark", name="orders").value
client.asset_state_store.set("watermark", 8, name="north")
assert 8 == client.asset_state_store.get("watermark", uri="s3://north").value

client, ti_id = started("stranger")
for by in ({"name": "orders"}, {"uri": "s3://sales/orders"}, {"name": "north"}):
    for call in (
        lambda by=by: client.asset_state_store.get("watermark", **by),
        lambda by=by: client.asset_state_store.set("watermark", 0, **by),
        lambda by=by: client.asset_state_store.delete("watermark", **by),
        lambda by=by: client.asset_state_store.clear(**by),
    ):
        assert "access_denied" == refused(403, call)["reason"]
assert 7 == started("reader")[0].asset_state_store.get("watermark", name="orders").value
print("every call was served")
