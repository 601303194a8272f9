"""Assets and their state (AIP-103): Airflow's own client, supervisor and runner against our server."""

import json

import pytest

from airlock_server.rules.assets import Declarations
from airlock_server.store import xcoms
from airlock_server.store.assets import events
from airlock_wire.assets import DeclaredAsset

pytestmark = pytest.mark.slow

ORDERS = DeclaredAsset(name="orders", uri="s3://sales/orders")
ALIAS = DeclaredAsset(type="AssetAlias", name="regional")


def test_every_call_about_assets_is_served_as_airflows_client_expects(drive):
    declared = {
        "producer": Declarations(outlets=(ORDERS, ALIAS)),
        "consumer": Declarations(inlets=(ORDERS, ALIAS)),
        "stranger": Declarations(),
        "reader": Declarations(inlets=(DeclaredAsset(type="AssetNameRef", name="orders"),)),
    }
    tis = {name: drive.queue("dag", "run", name, assets=assets) for name, assets in declared.items()}

    assert "every call was served" in drive.run("asset_calls.py", {"tis": tis})

    written = drive.db.read(lambda conn: events.of_asset(conn, "orders", "", events.Window()))
    assert [{"rows": 1}] == [event["extra"] for event in written]


def test_airflows_runner_keeps_and_finds_the_state_of_assets(drive):
    logs = drive.folder / "logs"
    logs.mkdir()

    def run(**declared):
        tasks = {name: drive.queue("contract", "manual__1", name, assets=assets) for name, assets in declared.items()}
        drive.run("supervise.py", {"dag_file": "assets.py", "tasks": tasks, "logs": str(logs)})
        return {name: drive.outcome(ti["id"]).state.value for name, ti in tasks.items()}

    def returned(task_id):
        pushed = xcoms.XComKey("contract", "manual__1", task_id, "return_value")
        value = drive.db.read(lambda conn: xcoms.get(conn, pushed, -1))
        assert value is not None, (logs / f"{task_id}.log").read_text()[-3000:]
        return json.loads(value)

    states = run(
        produce=Declarations(outlets=(ALIAS,)),
        consume=Declarations(inlets=(ALIAS,)),
        keep=Declarations(outlets=(ORDERS,)),
        square=Declarations(),
        stranger=Declarations(),
    )

    assert {
        "produce": "success", "consume": "success", "keep": "success", "square": "success", "stranger": "failed",
    } == states  # fmt: skip
    assert ["never", "2026-01-02", {"rows": 3}] == returned("consume")
    assert [41, "none", None] == returned("keep")
    assert [16, None] == returned("square")
    written = drive.db.read(lambda conn: events.of_asset(conn, "orders", "s3://sales/orders", events.Window()))
    assert [{"rows": 1}] == [event["extra"] for event in written]
    # What its DAG file says of a task does not count without the declaration.
    assert "access_denied" in (logs / "stranger.log").read_text()
    assert {"consume": "success"} == run(consume=Declarations(inlets=(ALIAS,)))
    assert "2026-01-02" == returned("consume")[0]
