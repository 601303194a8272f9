"""
Conditions over assets: which assets must have been written before a DAG runs. They nest freely.
"""

import msgspec

from airlock_wire.assets import DeclaredAsset


class OneAsset(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="asset"):
    """Is true if this asset was written. The declaration may be an alias or a reference by name or URI."""

    asset: DeclaredAsset


class AnyOf(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="any"):
    """Is true if one of the conditions is."""

    conditions: "list[AssetCondition]"


class AllOf(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="all"):
    """Is true if every condition is."""

    conditions: "list[AssetCondition]"


AssetCondition = OneAsset | AnyOf | AllOf


def leaves(condition: AssetCondition) -> list[DeclaredAsset]:
    """Returns the declarations in a condition, in the order in which they were written."""
    if isinstance(condition, OneAsset):
        return [condition.asset]
    return [asset for each in condition.conditions for asset in leaves(each)]
