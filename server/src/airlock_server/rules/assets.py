"""
Which assets a task instance may use: what was declared for it, and the assets in a request. Pure.

Declared is what the DAG file said when it was parsed, or what the TaskRun says; never what user code says while it
runs. docs/adr/0028 says why.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal

import msgspec

from airlock_wire.assets import DeclaredAsset, filled, text_problem
from airlock_wire.patterns import matches

#: ``state`` opens the state of assets and nothing else.
Use = Literal["inlet", "outlet", "state"]


#: Tells whether the grants open an asset or alias that has one of these names.
Granted = Callable[[tuple[str, ...]], bool]


class AssetKey(msgspec.Struct, frozen=True, order=True):
    """The two texts that name an asset."""

    name: str
    uri: str


class Pattern(msgspec.Struct, frozen=True):
    """A pattern of ``spec.access``, which fits names and URIs of assets and names of aliases."""

    use: Use
    pattern: str


class Declarations(msgspec.Struct, frozen=True):
    """What was declared for a task instance. By default it uses no asset."""

    inlets: tuple[DeclaredAsset, ...] = ()
    outlets: tuple[DeclaredAsset, ...] = ()
    patterns: tuple[Pattern, ...] = ()


NO_ASSETS = Declarations()


class AssetProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outlet of a task that succeeded."""

    type: str
    name: str | None = None
    uri: str | None = None


class OutletEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task that succeeded says about one of its outlets. With ``source_alias_name`` an alias has the asset."""

    dest_asset_key: AssetKey
    extra: dict[str, Any] = {}
    source_alias_name: str | None = None
    dest_asset_extra: dict[str, Any] = {}
    partition_key: Any = None


class Outlets(msgspec.Struct, frozen=True):
    """What a success says about assets."""

    task_outlets: list[AssetProfile]
    outlet_events: list[OutletEvent]


def opens_state(declared: Declarations, asset: AssetKey, aliases: Collection[str]) -> bool:
    """
    Tells whether the state of an asset is open: to its inlets and outlets, and through inlets that are an alias of it.
    """
    if any(_is(each, asset) for each in (*declared.inlets, *declared.outlets)):
        return True
    if any(each.type == "AssetAlias" and each.name in aliases for each in declared.inlets):
        return True
    return _fits(declared, "state", (asset.name, asset.uri, *aliases))


def may_claim(declared: Declarations, asset: AssetKey) -> bool:
    """Tells whether a success may say that it wrote an asset."""
    if any(_is(each, asset) for each in declared.outlets):
        return True
    return all(_fits(declared, "outlet", (name,)) for name in (asset.name, asset.uri))


def may_claim_by(declared: Declarations, alias: str, asset: AssetKey) -> bool:
    """Tells whether a success may give an asset to an alias and say that it wrote the asset."""
    if any(each.type == "AssetAlias" and each.name == alias for each in declared.outlets):
        return True
    return all(_fits(declared, "outlet", (name,)) for name in (alias, asset.name, asset.uri))


def every(_names: tuple[str, ...]) -> bool:
    """Opens every asset: grants are not on."""
    return True


def key_problem(asset: AssetKey) -> str:
    """Returns what is wrong with an asset's name or URI; empty if nothing is wrong."""
    return text_problem(asset.name) or text_problem(asset.uri)


def key_of(declared: DeclaredAsset) -> AssetKey:
    """Returns the key of a declared asset."""
    whole = filled(declared)
    return AssetKey(whole.name, whole.uri)


def _is(declared: DeclaredAsset, asset: AssetKey) -> bool:
    match declared.type:
        case "Asset":
            return key_of(declared) == asset
        case "AssetNameRef":
            return declared.name == asset.name
        case "AssetUriRef":
            return declared.uri == asset.uri
        case _:
            return False


def _fits(declared: Declarations, use: Use, names: Iterable[str]) -> bool:
    patterns = [each.pattern for each in declared.patterns if each.use == use]
    return any(matches(pattern, name) for pattern in patterns for name in names)
