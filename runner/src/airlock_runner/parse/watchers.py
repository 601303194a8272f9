"""Writes the watchers of a DAG's assets as plain data."""

from collections.abc import Iterator
from typing import Any

from airlock.sdk.definitions.dag import DAG
from airlock_runner.json_values import serialized
from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags.triggers import SerializedWatcher


def watchers_of(dag: DAG) -> list[SerializedWatcher]:
    """Returns the watchers of the assets in a DAG's schedule, inlets and outlets; each once."""
    watchers: dict[tuple[str, str, str], SerializedWatcher] = {}
    for asset in _assets(dag):
        for each in getattr(asset, "watchers", None) or ():
            watchers.setdefault((asset.name, asset.uri, each.name), _watcher(asset, each))
    return list(watchers.values())


def _watcher(asset: Any, watcher: Any) -> SerializedWatcher:
    classpath, kwargs = watcher.trigger.serialize()
    return SerializedWatcher(
        asset=DeclaredAsset(name=asset.name, uri=asset.uri, group=asset.group, extra=asset.extra),
        name=watcher.name,
        classpath=classpath,
        kwargs=serialized(dict(kwargs), f"watcher {watcher.name!r} of asset {asset.name!r}"),
    )


def _assets(dag: DAG) -> Iterator[Any]:
    table: Any = dag.timetable
    while table is not None:
        yield from _leaves(getattr(table, "asset_condition", None))
        # A schedule by time and assets has another timetable in it.
        table = getattr(table, "timetable", None)
    for task in dag.tasks:
        yield from task.inlets or ()
        yield from task.outlets or ()


def _leaves(condition: Any) -> Iterator[Any]:
    objects = getattr(condition, "objects", None)
    if objects is not None:
        for each in objects:
            yield from _leaves(each)
    elif condition is not None:
        yield condition
