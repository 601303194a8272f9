"""The examples of AIP-103; Airflow's runner imports this."""

from airflow.sdk import DAG, Asset, AssetAlias, task

ALIAS = AssetAlias("regional")
NORTH = Asset("north", "s3://sales/north")
ORDERS = Asset("orders", "s3://sales/orders")

with DAG("contract"):

    @task(outlets=[ALIAS])
    def produce(*, outlet_events):
        outlet_events[ALIAS].add(NORTH, extra={"rows": 3})

    @task(inlets=[ALIAS])
    def consume(*, asset_state_store, inlet_events):
        before = asset_state_store.get("watermark", "never")
        asset_state_store[NORTH].set("watermark", "2026-01-02")
        (event,) = inlet_events[ALIAS]
        return [before, asset_state_store[NORTH].get("watermark"), event.extra]

    @task(outlets=[ORDERS])
    def keep(*, asset_state_store, outlet_events):
        asset_state_store.set("offset", 41)
        kept = [asset_state_store.get("offset")]
        asset_state_store.delete("offset")
        kept.append(asset_state_store.get("offset", "none"))
        asset_state_store.set("a", 1)
        asset_state_store.clear()
        outlet_events[ORDERS].extra = {"rows": 1}
        return [*kept, asset_state_store.get("a")]

    @task
    def square(*, task_state_store, ti):
        task_state_store.set("square", 16)
        value = task_state_store.get("square")
        task_state_store.clear()
        return [value, task_state_store.get("square")]

    @task(inlets=[ORDERS])
    def stranger(*, asset_state_store):
        asset_state_store.get("a")

    produce(), consume(), keep(), square(), stranger()
