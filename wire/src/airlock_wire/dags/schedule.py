"""
When a DAG runs: one struct for each timetable, tagged by ``kind``. Plain data: the server computes with it.
"""

from typing import Any

import msgspec

from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags.conditions import AssetCondition
from airlock_wire.dags.moments import Moment, Span
from airlock_wire.dags.partitions import Identity, PartitionMapper


class _Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What tells the structs of a schedule apart."""


class Null(_Schedule, frozen=True, kw_only=True, tag="null"):
    """Never by the clock."""


class Once(_Schedule, frozen=True, kw_only=True, tag="once"):
    """One run."""


class Continuous(_Schedule, frozen=True, kw_only=True, tag="continuous"):
    """One run after the other."""


class CronTrigger(_Schedule, frozen=True, kw_only=True, tag="cron_trigger"):
    """
    At each tick of a cron expression, in a time zone (a name of the IANA database, or an offset as ``+01:00``).

    ``interval`` is how long before the tick the data interval starts. ``run_immediately`` is true, false, or the
    seconds by which a tick may be past; None for Airflow's rule of a tenth of the gap.
    """

    expression: str
    timezone: str = "UTC"
    interval: Span = Span()
    run_immediately: bool | float | None = False


class CronDataInterval(_Schedule, frozen=True, kw_only=True, tag="cron_data_interval"):
    """At the end of each interval between two ticks of a cron expression."""

    expression: str
    timezone: str = "UTC"


class MultipleCron(_Schedule, frozen=True, kw_only=True, tag="multiple_cron"):
    """At the ticks of several cron expressions."""

    expressions: list[str]
    timezone: str = "UTC"
    interval: Span = Span()
    run_immediately: bool | float | None = False


class DeltaTrigger(_Schedule, frozen=True, kw_only=True, tag="delta_trigger"):
    """Again and again after a span of time."""

    delta: Span
    interval: Span = Span()


class DeltaDataInterval(_Schedule, frozen=True, kw_only=True, tag="delta_data_interval"):
    """At the end of each data interval of this length."""

    delta: Span


class Events(_Schedule, frozen=True, kw_only=True, tag="events"):
    """At moments that the author lists. They are sorted, and each is there once."""

    dates: list[Moment]
    restrict_to_events: bool = False
    description: str = ""


class Assets(_Schedule, frozen=True, kw_only=True, tag="assets"):
    """As soon as a condition over assets is true."""

    condition: AssetCondition


class AssetOrTime(_Schedule, frozen=True, kw_only=True, tag="asset_or_time"):
    """By another timetable, and also as soon as a condition over assets is true."""

    timetable: "Schedule"
    condition: AssetCondition


class CronPartition(_Schedule, frozen=True, kw_only=True, tag="cron_partition"):
    """
    At each tick of a cron expression, for a partition: the tick moved by ``run_offset`` ticks, formatted as a key.
    """

    expression: str
    timezone: str = "UTC"
    run_offset: int | None = None
    run_immediately: bool | float | None = False
    key_format: str = "%Y-%m-%dT%H:%M:%S"


class MappedPartition(msgspec.Struct, frozen=True, kw_only=True):
    """The mapper of one asset's partition keys."""

    asset: DeclaredAsset
    mapper: PartitionMapper


class PartitionedAssets(_Schedule, frozen=True, kw_only=True, tag="partitioned_assets"):
    """For each partition whose keys satisfy a condition over assets."""

    condition: AssetCondition
    mappers: list[MappedPartition] = []
    default_mapper: PartitionMapper = Identity()


class PartitionedAtRuntime(_Schedule, frozen=True, kw_only=True, tag="partitioned_at_runtime"):
    """Never by the clock; whoever makes a run gives it its partition keys."""


class Custom(_Schedule, frozen=True, kw_only=True, tag="custom"):
    """
    A class of the author's, which a runner has to load. ``data`` is what it serializes; ``description`` is for people.

    The rest are the class's own attributes: the server must know them without asking a runner.
    """

    classpath: str
    data: dict[str, Any] = {}
    description: str = ""
    can_be_scheduled: bool = True
    periodic: bool = True
    active_runs_limit: int | None = None
    condition: AssetCondition | None = None


Schedule = (
    Null
    | Once
    | Continuous
    | CronTrigger
    | CronDataInterval
    | MultipleCron
    | DeltaTrigger
    | DeltaDataInterval
    | Events
    | Assets
    | AssetOrTime
    | CronPartition
    | PartitionedAssets
    | PartitionedAtRuntime
    | Custom
)
