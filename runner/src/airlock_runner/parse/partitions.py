"""Writes mappers of partition keys as plain data."""

from typing import Any, Final

from airlock.sdk.definitions.partitions import keys, mapper, temporal, window
from airlock.sdk.definitions.partitions.wait_policy import MinimumCount
from airlock_runner.json_values import serialized
from airlock_runner.parse.zones import zone_name
from airlock_wire.dags import partitions as wire

_PERIODS: Final[dict[type, wire.Period]] = {
    temporal.StartOfHourMapper: "hour",
    temporal.StartOfDayMapper: "day",
    temporal.StartOfWeekMapper: "week",
    temporal.StartOfMonthMapper: "month",
    temporal.StartOfQuarterMapper: "quarter",
    temporal.StartOfYearMapper: "year",
}
_WINDOWS: Final[dict[type, Any]] = {
    window.HourWindow: "hour",
    window.DayWindow: "day",
    window.WeekWindow: "week",
    window.MonthWindow: "month",
    window.QuarterWindow: "quarter",
    window.YearWindow: "year",
    window.SegmentWindow: "segment",
}


def mapper_of(each: Any) -> wire.PartitionMapper:
    """Returns a mapper as plain data; for a class of the author's, its path and what it serializes."""
    limit = each.max_downstream_keys
    kind = type(each)
    if kind is keys.IdentityMapper:
        return wire.Identity(max_downstream_keys=limit)
    if kind is keys.FixedKeyMapper:
        return wire.FixedKey(key=each.downstream_key, max_downstream_keys=limit)
    if kind is keys.AllowedKeyMapper:
        return wire.AllowedKeys(keys=sorted(each.allowed_keys), max_downstream_keys=limit)
    if kind in _PERIODS:
        return wire.StartOf(
            period=_PERIODS[kind],
            timezone=zone_name(each.timezone),
            input_format=each.input_format,
            output_format=each.output_format,
            max_downstream_keys=limit,
        )
    if kind is keys.ProductMapper:
        return wire.Product(mappers=_all(each), delimiter=each.delimiter, max_downstream_keys=limit)
    if kind is keys.ChainMapper:
        return wire.Chain(mappers=_all(each), max_downstream_keys=limit)
    if kind is temporal.FanOutMapper:
        return wire.FanOut(
            upstream=mapper_of(each.upstream_mapper),
            window=_window(each.window),
            downstream=mapper_of(each.downstream_mapper),
            max_downstream_keys=limit,
        )
    if kind is mapper.RollupMapper:
        policy = each.wait_policy
        return wire.Rollup(
            upstream=mapper_of(each.upstream_mapper),
            window=_window(each.window),
            wait_policy=wire.WaitPolicy(minimum=policy.n if isinstance(policy, MinimumCount) else None),
            max_downstream_keys=limit,
        )
    return wire.CustomMapper(classpath=_path(kind), data=_data(each), max_downstream_keys=limit)


def _all(each: Any) -> list[wire.PartitionMapper]:
    return [mapper_of(inner) for inner in each.mappers]


def _window(each: Any) -> wire.Window:
    kind = _WINDOWS.get(type(each))
    direction = each.direction.value
    if kind is None:
        return wire.Window(kind="custom", direction=direction, classpath=_path(type(each)), data=_data(each))
    segments = sorted(each.segments) if kind == "segment" else []
    return wire.Window(kind=kind, direction=direction, segments=segments)


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _data(each: Any) -> dict[str, Any]:
    serialize = getattr(each, "serialize", None)
    return serialized(serialize(), type(each).__qualname__) if serialize is not None else {}
