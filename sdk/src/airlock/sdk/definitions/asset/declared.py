"""Inlets and outlets as an author writes them, and as plain data on the wire."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airlock.sdk.definitions.asset.alias import AssetAlias
from airlock.sdk.definitions.asset.assets import Asset
from airlock.sdk.definitions.asset.conditions import AssetBooleanCondition, BaseAsset
from airlock.sdk.definitions.asset.refs import AssetNameRef, AssetUriRef
from airlock.sdk.exceptions import AirlockException
from airlock_wire.assets import DeclaredAsset


class InactiveAsset(AirlockException):
    """An inlet or outlet of the task is not active: another asset has its name or its URI. The text names it."""


def checked(value: Any, place: str) -> tuple[BaseAsset, ...]:
    """Returns inlets or outlets as an author wrote them, one by one; raises TypeError for anything else."""
    return tuple(dict.fromkeys(_each(value, place)))


def _each(value: Any, place: str) -> Iterator[BaseAsset]:
    if isinstance(value, AssetBooleanCondition):
        yield from _each(value.objects, place)
    elif isinstance(value, BaseAsset):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        for each in value:
            yield from _each(each, place)
    else:
        raise TypeError(f"{place} must be an Asset, an AssetAlias or a list of them, not {value!r}")


def declaration(asset: BaseAsset) -> DeclaredAsset:
    """Returns an inlet or outlet as plain data."""
    match asset:
        case Asset():
            return DeclaredAsset(name=asset.name, uri=asset.uri, group=asset.group, extra=asset.extra)
        case AssetNameRef():
            return DeclaredAsset(type="AssetNameRef", name=asset.name)
        case AssetUriRef():
            return DeclaredAsset(type="AssetUriRef", uri=asset.uri)
        case AssetAlias():
            return DeclaredAsset(type="AssetAlias", name=asset.name, group=asset.group)
        case _:
            raise TypeError(f"{asset!r} is not one asset")
