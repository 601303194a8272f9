"""Aliases: names that tasks give assets to while they run."""

from typing import Any

from airlock.sdk.definitions.asset.conditions import PlainAsset
from airlock.sdk.definitions.asset.identifiers import AssetUniqueKey, checked


class AssetAlias(PlainAsset):
    """A name that tasks give assets to while they run: ``outlet_events[alias].add(asset)``."""

    def __init__(self, name: str, *, group: str = "asset") -> None:
        """Raises ValueError for a name or group that an alias cannot have."""
        self.name = checked(name, "AssetAlias", "name")
        if not isinstance(group, str):
            raise ValueError(f"AssetAlias: the group must be text, not {type(group).__name__}: {group!r}")
        self.group = group

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {"name": self.name, "group": self.group}

    def _key(self) -> tuple[str, ...]:
        return (self.name,)


class AssetAliasEvent:
    """An event that a task asked for by an alias: which asset it is for, and its extras."""

    def __init__(
        self,
        source_alias_name: str,
        dest_asset_key: AssetUniqueKey,
        dest_asset_extra: dict[str, Any],
        extra: dict[str, Any],
    ) -> None:
        """``dest_asset_extra`` is the asset's own, ``extra`` the event's."""
        self.source_alias_name = source_alias_name
        self.dest_asset_key = dest_asset_key
        self.dest_asset_extra = dest_asset_extra
        self.extra = extra
