"""
Writes down what a success says about assets: registers them, gives them to aliases and adds their events.

It runs in the transaction that moves the state, so a replay of the report adds nothing. An outlet that was not declared
for the task instance, or that is not active, gets no event; the task has succeeded all the same, and the log says it.
"""

import logging
from collections import defaultdict
from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_server.rules import assets
from airlock_server.rules.assets import AssetKey, AssetProfile, Declarations, Granted, OutletEvent, Outlets
from airlock_server.store import dag_runs
from airlock_server.store.assets import declared, events, registry
from airlock_server.store.assets.registry import Asset
from airlock_wire.assets import DeclaredAsset
from airlock_wire.identity import TaskInstanceKey

log = logging.getLogger("airlock.assets")


def write_down(conn: sa.Connection, key: TaskInstanceKey, outlets: Outlets, granted: Granted) -> None:
    """Does so for a task instance that has just succeeded."""
    if not outlets.task_outlets and not outlets.outlet_events:
        return
    work = _Work(conn, key, declared.of_instance(conn, key), granted)
    by_asset: dict[AssetKey, list[OutletEvent]] = defaultdict(list)
    for event in outlets.outlet_events:
        if event.source_alias_name is None:
            by_asset[event.dest_asset_key].append(event)
    profiles = {(each.type, each.name, each.uri): each for each in outlets.task_outlets}
    # In one order for everybody, so that two transactions that register the same assets do not wait for each other.
    for _, profile in sorted(profiles.items(), key=lambda item: tuple(map(str, item[0]))):
        if profile.type != "AssetAlias" and (written := work.asset_of(profile)) is not None:
            work.add_events(written, by_asset.get(written.key, []))
    aliases = {each.name for each in outlets.task_outlets if each.type == "AssetAlias"}
    work.add_events_of_aliases([each for each in outlets.outlet_events if each.source_alias_name in aliases])


class _Work:
    def __init__(self, conn: sa.Connection, key: TaskInstanceKey, declarations: Declarations, granted: Granted) -> None:
        self._conn, self._key, self._declared, self._granted = conn, key, declarations, granted
        self._partition_key = dag_runs.partition_key_of(conn, key.dag_id, key.run_id)

    def asset_of(self, profile: AssetProfile) -> Asset | None:
        """Returns the active asset that an outlet stands for; for an outlet without one None, and a line of the log."""
        written: Asset | None = None
        match profile.type:
            case "Asset" if profile.name and profile.uri:
                key = AssetKey(profile.name, profile.uri)
                written = self._registered(key, {}) if self._may_claim(key) else None
            case "AssetNameRef" if profile.name:
                written = registry.active(self._conn, name=profile.name)
            case "AssetUriRef" if profile.uri:
                written = registry.active(self._conn, uri=profile.uri)
        if written is None or not self._may_claim(written.key):
            self._passed_over(profile, "it is not declared as an outlet of the task, not granted, or not registered")
            return None
        if not written.active:
            self._passed_over(profile, "it is not active: another asset has its name or its URI")
            return None
        return written

    def add_events(self, written: Asset, outlet_events: list[OutletEvent]) -> None:
        """Adds an event for each thing that the task says about an asset, one if it says nothing."""
        for event in outlet_events or [OutletEvent(dest_asset_key=written.key)]:
            partition_key = self._partition_key if event.partition_key is None else event.partition_key
            events.add(self._conn, written.id, self._key, extra=event.extra, partition_key=partition_key)

    def add_events_of_aliases(self, outlet_events: list[OutletEvent]) -> None:
        """Gives assets to aliases. Aliases that say the same of an asset have one event together."""
        groups: dict[bytes, tuple[OutletEvent, set[str]]] = {}
        for event in outlet_events:
            alias = event.source_alias_name or ""
            if not self._may_give(alias, event.dest_asset_key):
                self._passed_over(event, "its alias or asset is not declared as an outlet of the task, or not granted")
                continue
            sameness = (event.dest_asset_key, event.dest_asset_extra, event.extra)
            groups.setdefault(msgspec.json.encode(sameness, order="deterministic"), (event, set()))[1].add(alias)
        numbers: dict[bytes, tuple[int, tuple[int, ...]]] = {}
        # In one order for everybody, as above.
        for sameness_key, (event, names) in sorted(groups.items()):
            written = self._registered(event.dest_asset_key, event.dest_asset_extra)
            alias_ids = tuple(registry.register_alias(self._conn, name) for name in sorted(names))
            for alias_id in alias_ids:
                registry.give(self._conn, alias_id, written.id)
            numbers[sameness_key] = written.id, alias_ids
        # The events have the order in which the task said them, which is that of their readers.
        for sameness_key, (event, _) in groups.items():
            asset_id, alias_ids = numbers[sameness_key]
            events.add(
                self._conn, asset_id, self._key, extra=event.extra, partition_key=self._partition_key,
                alias_ids=alias_ids,
            )  # fmt: skip

    def _registered(self, key: AssetKey, extra: dict[str, Any]) -> Asset:
        existing = registry.by_key(self._conn, key)
        if existing is not None and existing.active:
            return existing
        return registry.register(self._conn, DeclaredAsset(name=key.name, uri=key.uri, extra=extra), self._key)

    def _may_claim(self, key: AssetKey) -> bool:
        return assets.may_claim(self._declared, key) and self._may(key)

    def _may(self, key: AssetKey) -> bool:
        return self._granted((key.name,)) and self._granted((key.uri,))

    def _may_give(self, alias: str, key: AssetKey) -> bool:
        if assets.key_problem(key) or not assets.may_claim_by(self._declared, alias, key):
            return False
        return self._granted((alias,)) and self._may(key)

    def _passed_over(self, outlet: AssetProfile | OutletEvent, why: str) -> None:
        text = msgspec.json.encode(outlet).decode()[:500]
        log.warning("outlet without event", extra={"task_instance": str(self._key), "outlet": text, "why": why})
