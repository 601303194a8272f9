"""DAGs that assets start: a producer and its consumer, an alias, a watcher."""

from airflow.providers.standard.triggers.file import FileDeleteTrigger
from airflow.sdk import Asset, AssetAlias, AssetWatcher, task
from cages import cage, each, say


def made(short):
    return Asset(f"zoo-made-{short}")


def resolved(short):
    return Asset(f"zoo-resolved-{short}")


def watched(short):
    """Changes when the test makes this file where the triggerer runs."""
    trigger = FileDeleteTrigger(filepath=f"/tmp/zoo-{short}", poke_interval=1)
    return Asset(f"zoo-watched-{short}", watchers=[AssetWatcher(name=f"zoo-{short}", trigger=trigger)])


@task
def reads(triggering_asset_events=None):
    events = [event for each_of in triggering_asset_events.values() for event in each_of]
    say("was started by", len(events))
    return [event.extra.get("rows") for event in events]


for dag in each("producer"):

    @task(outlets=[made(cage(dag))])
    def makes(short, outlet_events=None):
        outlet_events[made(short)].extra = {"rows": 7}

    makes(cage(dag))

for dag in each("alias_producer"):

    @task(outlets=[AssetAlias(f"zoo-alias-{cage(dag)}")])
    def resolves(short, outlet_events=None):
        outlet_events[AssetAlias(f"zoo-alias-{short}")].add(resolved(short), extra={"rows": 3})

    resolves(cage(dag))

for _ in each("consumer", assets=lambda short: [made(short)]):
    reads()

for _ in each("alias_consumer", assets=lambda short: [resolved(short)]):
    reads()

for _ in each("watcher", assets=lambda short: [watched(short)]):
    reads()
