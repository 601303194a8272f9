"""Timetables whose runs are started by events of assets."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from airlock.sdk.definitions.asset.conditions import AssetAll, BaseAsset
from airlock.sdk.definitions.partitions.keys import IdentityMapper
from airlock.sdk.definitions.partitions.mapper import PartitionMapper
from airlock.sdk.timetables.definition import BaseTimetable


class AssetTriggeredTimetable(BaseTimetable):
    """A run when a condition about assets is met. A DAG gets it from ``schedule=[asset, ...]``."""

    _record: ClassVar[tuple[str, ...]] = ("asset_condition",)

    def __init__(self, assets: BaseAsset) -> None:
        """``assets`` is the condition: an asset, a reference, an alias, or several of them with ``&`` and ``|``."""
        self.asset_condition: BaseAsset = assets


class PartitionedAssetTimetable(AssetTriggeredTimetable):
    """A run for a partition when the condition about assets is met for it."""

    _record: ClassVar[tuple[str, ...]] = ("asset_condition", "partition_mapper_config", "default_partition_mapper")

    def __init__(
        self,
        assets: BaseAsset,
        partition_mapper_config: Mapping[BaseAsset, PartitionMapper] | None = None,
        default_partition_mapper: PartitionMapper = IdentityMapper(),  # noqa: B008 - it has no state
    ) -> None:
        """``partition_mapper_config`` has the mappers of some assets; the others have the default."""
        super().__init__(assets)
        self.partition_mapper_config = dict(partition_mapper_config or {})
        self.default_partition_mapper = default_partition_mapper


class PartitionedAtRuntime(BaseTimetable):
    """No run but those that somebody starts, naming the partition."""

    can_be_scheduled = False
    partitioned_at_runtime = True


class AssetOrTimeSchedule(AssetTriggeredTimetable):
    """A run when a condition about assets is met, and also at the times of another timetable."""

    _record: ClassVar[tuple[str, ...]] = ("asset_condition", "timetable")

    def __init__(self, *, assets: Collection[BaseAsset] | BaseAsset, timetable: BaseTimetable) -> None:
        """``assets`` is a condition, or a list whose assets must all have an event."""
        super().__init__(assets if isinstance(assets, BaseAsset) else AssetAll(*assets))
        self.timetable = timetable
        self.active_runs_limit = timetable.active_runs_limit
        self.can_be_scheduled = timetable.can_be_scheduled

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for a timetable that cannot be."""
        self.timetable.validate()
