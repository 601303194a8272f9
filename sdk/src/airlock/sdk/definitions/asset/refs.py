"""References to assets that another DAG declares."""

from typing import Any, Self

from airlock.sdk.definitions.asset.conditions import BaseAsset
from airlock.sdk.definitions.asset.identifiers import checked
from airlock.sdk.definitions.asset.uri import normal


class AssetRef(BaseAsset):
    """A reference to an asset that another DAG declares. ``Asset.ref(...)`` makes one."""


class AssetNameRef(AssetRef):
    """Whichever asset has the name."""

    def __init__(self, name: str) -> None:
        """Raises ValueError for a name that an asset cannot have."""
        self.name = checked(name, "AssetNameRef", "name")

    def serialize(self) -> dict[str, Any]:
        """Returns the fields, as Airflow writes them."""
        return {"name": self.name}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Returns the object of these fields; raises TypeError for those of a newer version."""
        if version:
            raise TypeError(f"{cls.__name__} of version {version} is newer than version 0")
        return cls(**data)

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

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Returns the object of these fields; raises TypeError for those of a newer version."""
        if version:
            raise TypeError(f"{cls.__name__} of version {version} is newer than version 0")
        return cls(**data)

    def _key(self) -> tuple[str, ...]:
        return (self.uri,)
