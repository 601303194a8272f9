"""State that outlives a run: what a task keeps for its next try, and what tasks keep for an asset."""

from airlock.sdk import DAG, Asset, AssetAlias, task

ORDERS = Asset("orders", "s3://sales/orders")
REGIONAL = AssetAlias("regional")

with DAG("assets"):

    @task(outlets=[REGIONAL])
    def publish(outlet_events):
        """Says which asset was written: the alias has it from then on."""
        outlet_events[REGIONAL].add(ORDERS, {"rows": 3})

    @task(inlets=[REGIONAL])
    def load(asset_state_store, inlet_events):
        """Reads the rows since the watermark that its last run has left."""
        store = asset_state_store[ORDERS]
        since = store.get("watermark", "the beginning")
        store.set("watermark", inlet_events[REGIONAL][-1].timestamp.isoformat())
        return f"loaded everything since {since.partition('T')[0]}"

    @task(retries=1, retry_delay=1)
    def submit(task_state_store, ti):
        """Submits a job once, although its first try fails after that."""
        job = task_state_store.get("job")
        if job is None:
            job = f"job-{ti.try_number}"
            task_state_store.set("job", job)
            raise RuntimeError("the connection was lost")
        return job

    publish() >> load()
    submit()
