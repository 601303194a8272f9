"""Assets, aliases, the two state stores, and a DAG that an asset starts."""

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetAlias, Metadata, task

for way in ("theirs", "ours"):
    made = Asset(name=f"{way} made", uri=f"x-made://{way}/made", extra={"of": "the DAG"})
    found = Asset(name=f"{way} found", uri=f"x-made://{way}/found")
    alias = AssetAlias(f"{way} alias")

    with DAG(f"{way}_assets"):

        @task(outlets=[made])
        def produce(outlet_events=None, made=made):
            outlet_events[made].extra = {"rows": 3}

        @task(outlets=[alias])
        def produce_by_alias(found=found, alias=alias):
            yield Metadata(found, extra={"rows": 4}, alias=alias)
            return "yielded"

        @task(inlets=[made, alias, Asset.ref(name=made.name)])
        def look(inlet_events=None, made=made, alias=alias):
            for which in (made, alias):
                print([(e.asset.name, e.extra, e.source_task_id) for e in inlet_events[which]])
            print(
                [e.extra for e in inlet_events[made].ascending().limit(1)],
                len(inlet_events[made].after("2020-01-01T00:00:00+00:00")),
            )
            print(len(inlet_events[Asset.ref(name=made.name)]), len(inlet_events[Asset.ref(uri=made.uri)]))
            try:
                inlet_events[Asset.ref(name="no such asset")]
            except Exception as e:
                print(type(e).__name__, e)

        @task(inlets=[made])
        def asset_store(asset_state_store=None, made=made):
            store = asset_state_store[made]
            print(store.get("absent"), store.get("absent", default="default"))
            store.set("gone", 1)
            store.clear()
            store.set("kept", {"n": 1})
            store.set("deleted", "d")
            print(store.get("kept"), store.get("deleted"))
            store.delete("deleted")
            print(store.get("deleted"), store.get("gone"))

        @task(inlets=[Asset.ref(uri=made.uri)])
        def asset_store_by_uri(asset_state_store=None):
            asset_state_store.set("gone", 1)
            asset_state_store.clear()
            asset_state_store.set("deleted", "d")
            asset_state_store.delete("deleted")
            asset_state_store.set("by uri", [1, 2])
            print([asset_state_store.get(key) for key in ("gone", "deleted", "by uri")])

        @task(retries=1, retry_delay=timedelta(milliseconds=100))
        def task_store(task_state_store=None, ti=None):
            print(task_state_store.get("kept"), task_state_store.get("absent", "default"))
            if ti.try_number == 1:
                task_state_store.set("kept", {"try": 1})
                task_state_store.set("deleted", 1, retention=timedelta(days=1))
                task_state_store.delete("deleted")
                raise ValueError("again")
            task_state_store.set("second", [None, "two"])

        @task
        def task_store_cleared(task_state_store=None):
            task_state_store.set("one", 1)
            task_state_store.clear()
            print(task_state_store.get("one"))
            task_state_store.set("two", 2)

        [produce(), produce_by_alias()] >> look() >> asset_store_by_uri() >> asset_store()
        task_store(), task_store_cleared()

    with DAG(f"{way}_started_by_an_asset", schedule=[made]):

        @task
        def started(triggering_asset_events=None):
            for asset, events in triggering_asset_events.items():
                print(asset.name, [(e.extra, e.source_task_id) for e in events])

        started()
