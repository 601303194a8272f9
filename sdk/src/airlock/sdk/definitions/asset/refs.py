"""References to assets that another DAG declares."""

from typing import Any

from airlock.sdk.definitions.asset.conditions import PlainAsset
from airlock.sdk.definitions.asset.identifiers import checked
from airlock.sdk.definitions.asset.uri import normal


class AssetRef(PlainAsset):
    """A reference to an asset that another DAG declares. ``Asset.ref(...)`` makes one."""


class AssetNameRef(AssetRef):
    """Whichever asset has the name."""

    def __init__(self, name: str) -> None:
        """Raises ValueError for a name that an asset cannot have."""
        self.name = checked(name, "AssetNameRef", "name")

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {"name": self.name}

    def _key(self) -> tuple[str, ...]:
        return (self.name,)


class AssetUriRef(AssetRef):
    """Whichever asset has the URI."""

    def __init__(self, uri: str) -> None:
        """Raises ValueError for a URI that an asset cannot have."""
        self.uri = normal(checked(uri, "AssetUriRef", "uri"))

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {"uri": self.uri}

    def _key(self) -> tuple[str, ...]:
        return (self.uri,)
