"""``triggering_asset_events`` of the context: the events of assets that made the DAG run."""

from collections.abc import Iterator, Mapping
from typing import Any

from airlock.sdk.definitions.asset import Asset, AssetAlias


class TriggeringAssetEvents(Mapping[Any, list[Any]]):
    """The events by asset, in the order in which they came; an alias has the events of all its assets."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        """``events`` are as the server sends them."""
        self._by_asset: dict[Asset, list[Any]] = {}
        self._by_alias: dict[str, list[Any]] = {}
        for event in events:
            of = event["asset"]
            self._by_asset.setdefault(Asset(name=of.get("name"), uri=of.get("uri")), []).append(event)
            for alias in event.get("source_aliases") or ():
                self._by_alias.setdefault(alias["name"], []).append(event)

    def __getitem__(self, key: Any) -> list[Any]:
        """Returns the events of an asset or alias; KeyError if it has no events."""
        if isinstance(key, AssetAlias):
            return self._by_alias[key.name]
        return self._by_asset[key]

    def __iter__(self) -> Iterator[Any]:
        """Goes through the assets."""
        return iter(self._by_asset)

    def __len__(self) -> int:
        """Returns how many assets there are."""
        return len(self._by_asset)
