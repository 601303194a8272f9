"""Writes a timetable as plain data."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airlock.sdk.definitions.asset.conditions import AssetAll, AssetAny
from airlock.sdk.definitions.asset.declared import declaration
from airlock.sdk.timetables import assets, events, interval, simple, trigger
from airlock_runner.json_values import serialized
from airlock_runner.parse.partitions import mapper_of
from airlock_runner.parse.zones import zone_name
from airlock_wire.dags import schedule as wire
from airlock_wire.dags.conditions import AllOf, AnyOf, AssetCondition, OneAsset
from airlock_wire.dags.moments import CalendarStep, Span


def schedule_of(timetable: Any) -> Any:
    """Returns the schedule as plain data; for a class of the author's, its path and what it serializes."""
    form = _FORMS.get(type(timetable))
    return _custom(timetable) if form is None else form(timetable)


def condition_of(condition: Any) -> AssetCondition:
    """Returns a condition over assets as plain data."""
    if isinstance(condition, AssetAll | AssetAny):
        return (AllOf if isinstance(condition, AssetAll) else AnyOf)(
            conditions=[condition_of(each) for each in condition.objects]
        )
    return OneAsset(asset=declaration(condition))


def _cron(table: Any) -> wire.CronTrigger:
    return wire.CronTrigger(
        expression=table.expression,
        timezone=zone_name(table.timezone),
        interval=_span(table.interval),
        run_immediately=_grace(table.run_immediately),
    )


def _several(table: Any) -> wire.MultipleCron:
    first = table.timetables[0]
    return wire.MultipleCron(
        expressions=[each.expression for each in table.timetables],
        timezone=zone_name(first.timezone),
        interval=_span(first.interval),
        run_immediately=_grace(first.run_immediately),
    )


def _partition(table: Any) -> wire.CronPartition:
    return wire.CronPartition(
        expression=table.expression,
        timezone=zone_name(table.timezone),
        run_offset=table.run_offset,
        run_immediately=_grace(table.run_immediately),
        key_format=table.key_format,
    )


def _partitioned(table: Any) -> wire.PartitionedAssets:
    return wire.PartitionedAssets(
        condition=condition_of(table.asset_condition),
        mappers=[
            wire.MappedPartition(asset=declaration(asset), mapper=mapper_of(mapper))
            for asset, mapper in table.partition_mapper_config.items()
        ],
        default_mapper=mapper_of(table.default_partition_mapper),
    )


def _custom(table: Any) -> wire.Custom:
    kind = type(table)
    serialize = getattr(table, "serialize", None)
    condition = getattr(table, "asset_condition", None)
    return wire.Custom(
        classpath=f"{kind.__module__}.{kind.__qualname__}",
        data=serialized(serialize(), f"timetable {kind.__qualname__}") if serialize is not None else {},
        description=str(getattr(table, "description", "") or ""),
        can_be_scheduled=bool(getattr(table, "can_be_scheduled", True)),
        periodic=bool(getattr(table, "periodic", True)),
        active_runs_limit=getattr(table, "active_runs_limit", None),
        condition=condition_of(condition) if condition is not None else None,
    )


def _grace(value: Any) -> bool | float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


_FIELDS: Final = (
    "years", "months", "days", "leapdays", "hours", "minutes", "seconds", "microseconds", "year", "month", "day",
    "hour", "minute", "second", "microsecond",
)  # fmt: skip


def _span(span: Any) -> Span:
    """Returns a timedelta, or a relativedelta of dateutil."""
    if isinstance(span, timedelta):
        return Span(seconds=span.total_seconds())
    weekday = getattr(span, "weekday", None)
    return Span(
        calendar=CalendarStep(
            **{name: getattr(span, name) for name in _FIELDS if getattr(span, name)},
            weekday=getattr(weekday, "weekday", None),
            weekday_position=getattr(weekday, "n", None),
        )
    )


def _moment(date: datetime) -> datetime:
    return date.astimezone(UTC) if date.tzinfo is not None else date.replace(tzinfo=UTC)


_FORMS: Final[dict[type, Callable[[Any], Any]]] = {
    simple.NullTimetable: lambda _: wire.Null(),
    simple.OnceTimetable: lambda _: wire.Once(),
    simple.ContinuousTimetable: lambda _: wire.Continuous(),
    trigger.CronTriggerTimetable: _cron,
    trigger.MultipleCronTriggerTimetable: _several,
    trigger.CronPartitionTimetable: _partition,
    trigger.DeltaTriggerTimetable: lambda table: wire.DeltaTrigger(
        delta=_span(table.delta), interval=_span(table.interval)
    ),
    interval.CronDataIntervalTimetable: lambda table: wire.CronDataInterval(
        expression=table.expression, timezone=zone_name(table.timezone)
    ),
    interval.DeltaDataIntervalTimetable: lambda table: wire.DeltaDataInterval(delta=_span(table.delta)),
    events.EventsTimetable: lambda table: wire.Events(
        dates=[_moment(each) for each in table.event_dates],
        restrict_to_events=table.restrict_to_events,
        description=table.description or "",
    ),
    assets.AssetTriggeredTimetable: lambda table: wire.Assets(condition=condition_of(table.asset_condition)),
    assets.AssetOrTimeSchedule: lambda table: wire.AssetOrTime(
        timetable=schedule_of(table.timetable), condition=condition_of(table.asset_condition)
    ),
    assets.PartitionedAssetTimetable: _partitioned,
    assets.PartitionedAtRuntime: lambda _: wire.PartitionedAtRuntime(),
}
