"""Which assets a parsed DAG names, and for what. Pure."""

from typing import Literal

import msgspec

from airlock_wire.assets import DeclaredAsset, filled
from airlock_wire.dags.conditions import leaves
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.schedule import AssetOrTime, Assets, Custom, PartitionedAssets, Schedule
from airlock_wire.dags.task import declared


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One place in which a DAG names an asset, an alias or a reference. Without ``task_id`` it is the schedule."""

    use: Literal["schedule", "inlet", "outlet"]
    asset: DeclaredAsset
    task_id: str = ""


def assets_of(dag: SerializedDag) -> list[Named]:
    """Returns what a DAG names, in the order of its schedule and its tasks; each place once."""
    named = [Named(use="schedule", asset=filled(each)) for each in _of_schedule(dag.schedule)]
    for task in dag.tasks:
        named += [Named(use="inlet", asset=filled(each), task_id=task.task_id) for each in declared(task.inlets)]
        named += [Named(use="outlet", asset=filled(each), task_id=task.task_id) for each in declared(task.outlets)]
    places = {(each.use, each.task_id, each.asset.type, each.asset.name, each.asset.uri): each for each in named}
    return list(places.values())


def _of_schedule(schedule: Schedule) -> list[DeclaredAsset]:
    match schedule:
        case AssetOrTime(timetable=timetable, condition=condition):
            return [*leaves(condition), *_of_schedule(timetable)]
        case Assets(condition=condition) | PartitionedAssets(condition=condition):
            return leaves(condition)
        case Custom(condition=condition) if condition is not None:
            return leaves(condition)
        case _:
            return []
