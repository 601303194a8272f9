"""
Assets: data that tasks read and write, named so that tasks and DAGs can wait for it and keep state for it.

Imported at the first use: a launch without assets does not pay for it.
"""

from typing import TYPE_CHECKING, Any

from airlock.sdk.definitions.asset.alias import AssetAlias, AssetAliasEvent
from airlock.sdk.definitions.asset.assets import Asset, Dataset, Model
from airlock.sdk.definitions.asset.conditions import AssetAll, AssetAny, AssetBooleanCondition, BaseAsset
from airlock.sdk.definitions.asset.identifiers import AssetAliasUniqueKey, AssetUniqueKey
from airlock.sdk.definitions.asset.metadata import Metadata
from airlock.sdk.definitions.asset.refs import AssetNameRef, AssetRef, AssetUriRef

if TYPE_CHECKING:
    from airlock.sdk.definitions.asset.access_control import AssetAccessControl
    from airlock.sdk.definitions.asset.watcher import AssetWatcher

__all__ = [
    "Asset",
    "AssetAccessControl",
    "AssetAlias",
    "AssetAliasEvent",
    "AssetAliasUniqueKey",
    "AssetAll",
    "AssetAny",
    "AssetBooleanCondition",
    "AssetNameRef",
    "AssetRef",
    "AssetUniqueKey",
    "AssetUriRef",
    "AssetWatcher",
    "BaseAsset",
    "Dataset",
    "Metadata",
    "Model",
]


def __getattr__(name: str) -> Any:
    """Returns a name that is imported at its first use: few assets have a watcher or an access control."""
    if name == "AssetWatcher":
        from airlock.sdk.definitions.asset.watcher import AssetWatcher

        return AssetWatcher
    if name == "AssetAccessControl":
        from airlock.sdk.definitions.asset.access_control import AssetAccessControl

        return AssetAccessControl
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
