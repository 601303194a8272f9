"""What the context of a task with inlets or outlets has beside the rest. Imported for such tasks alone."""

from typing import Any

import msgspec

from airlock.sdk import _channel
from airlock.sdk.definitions.asset.declared import InactiveAsset, declaration
from airlock.sdk.definitions.context import Context
from airlock_runner.json_values import plain
from airlock_runner.task.assets.events import InletEvents, OutletEvents
from airlock_runner.task.assets.state_store import AssetStateStores
from airlock_runner.task.stores.state_store import StoreSettings
from airlock_runner.task.task_instance import RunningTaskInstance
from airlock_wire.assets import DeclaredAsset
from airlock_wire.protocol.lookups import InactiveAssetsResult, ValidateInletsAndOutlets


def add(context: Context, task: Any, ti: RunningTaskInstance, settings: StoreSettings) -> None:
    """
    Adds the entries about assets. Raises InactiveAsset if the server says that an inlet or outlet is not active: then
    no event of it would count.
    """
    answer = _channel.ask(ValidateInletsAndOutlets(ti_id=ti.id), "the check of inlets and outlets")
    if isinstance(answer, InactiveAssetsResult) and answer.inactive_assets:
        names = ", ".join(f"{each.get('name')!r} ({each.get('uri')})" for each in answer.inactive_assets)
        raise InactiveAsset(
            f"task {task.task_id!r} has inlets or outlets that are not active: {names}; another asset has the name or "
            "the URI: give these the same of both, or names of their own"
        )
    context["outlet_events"] = OutletEvents()
    context["inlet_events"] = InletEvents(task.inlets)
    states = AssetStateStores(task.inlets, task.outlets, settings)
    context["asset_state_store"] = states
    # Its name in Airflow before 3.3.2.
    context["asset_state"] = states


def report(context: Context, task: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns what a success says about assets: the outlets, and what the task said of them."""
    profiles = [_profile(declaration(each)) for each in task.outlets]
    return profiles, [plain(each, "an outlet event") for each in context["outlet_events"].as_wire()]


def _profile(declared: DeclaredAsset) -> dict[str, Any]:
    return {"type": declared.type} | {
        field: value for field, value in msgspec.structs.asdict(declared).items() if field in ("name", "uri") and value
    }
