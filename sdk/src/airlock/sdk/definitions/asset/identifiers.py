"""Names and URIs: which texts can be one, and the keys by which assets and aliases are told apart."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from airlock_wire.assets import text_problem

if TYPE_CHECKING:
    from airlock.sdk.definitions.asset.alias import AssetAlias
    from airlock.sdk.definitions.asset.assets import Asset

#: Names that Airflow gives a meaning of its own where assets are the arguments of a function.
_RESERVED: Final = ("self", "context")


def checked(value: Any, kind: str, field: str) -> str:
    """Returns a name or URI; raises ValueError, naming the kind and the field, for a value that cannot be one."""
    if not isinstance(value, str):
        raise ValueError(f"{kind}: the {field} must be text, not {type(value).__name__}: {value!r}")
    if wrong := text_problem(value):
        raise ValueError(f"{kind}: the {field} {wrong}")
    return value


def checked_name(value: Any, kind: str) -> str:
    """Returns the name of an asset; raises ValueError for a value that cannot be one."""
    if value in _RESERVED:
        raise ValueError(f"{kind}: the name {value!r} has a meaning of its own; choose another")
    return checked(value, kind, "name")


class AssetUniqueKey(NamedTuple):
    """The name and URI of an asset: no two assets share both."""

    name: str
    uri: str

    @classmethod
    def from_asset(cls, asset: "Asset") -> Self:
        """Returns the key of an asset."""
        return cls(asset.name, asset.uri)

    def to_asset(self) -> "Asset":
        """Returns an asset of this name and URI."""
        from airlock.sdk.definitions.asset.assets import Asset  # deferred: the two modules need each other

        return Asset(name=self.name, uri=self.uri)


class AssetAliasUniqueKey(NamedTuple):
    """The name of an alias: no two aliases share it."""

    name: str

    @classmethod
    def from_asset_alias(cls, asset_alias: "AssetAlias") -> Self:
        """Returns the key of an alias."""
        return cls(asset_alias.name)

    def to_asset_alias(self) -> "AssetAlias":
        """Returns an alias of this name."""
        from airlock.sdk.definitions.asset.alias import AssetAlias  # deferred: the two modules need each other

        return AssetAlias(self.name)
