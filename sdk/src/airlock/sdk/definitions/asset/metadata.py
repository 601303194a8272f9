"""What a task that is a generator says of its outlets."""

from collections.abc import Mapping
from typing import Any

from airlock.sdk.definitions.asset.alias import AssetAlias
from airlock.sdk.definitions.asset.conditions import BaseAsset


class Metadata:
    """
    What a task that is a generator says of an outlet: ``yield Metadata(asset, {"rows": 3})``. With ``alias`` the asset
    is given to that alias.
    """

    def __init__(
        self, asset: BaseAsset, extra: Mapping[str, Any] | None = None, alias: AssetAlias | None = None
    ) -> None:
        """``asset`` is an Asset or a reference to one."""
        self.asset = asset
        self.extra = dict(extra or {})
        self.alias = alias
