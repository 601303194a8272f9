"""Partition mappers, windows and wait policies. tests/contract/sdk has them beside Airflow's."""

import datetime as dt

import pytest

from airlock.sdk.definitions.partitions.keys import (
    AllowedKeyMapper,
    ChainMapper,
    FixedKeyMapper,
    IdentityMapper,
    ProductMapper,
)
from airlock.sdk.definitions.partitions.mapper import RollupMapper
from airlock.sdk.definitions.partitions.temporal import FanOutMapper, StartOfDayMapper, StartOfHourMapper
from airlock.sdk.definitions.partitions.wait_policy import MinimumCount, WaitForAll
from airlock.sdk.definitions.partitions.window import DayWindow, HourWindow, SegmentWindow, Window


def test_objects_are_their_fields():
    assert ChainMapper(IdentityMapper(), FixedKeyMapper("a")) == ChainMapper(IdentityMapper(), FixedKeyMapper("a"))
    assert ProductMapper(IdentityMapper(), IdentityMapper()) != ProductMapper(
        IdentityMapper(), IdentityMapper(), delimiter="/"
    )
    assert DayWindow() != HourWindow()
    assert "AllowedKeyMapper(allowed_keys=['a'], max_downstream_keys=3)" == repr(
        AllowedKeyMapper(["a"], max_downstream_keys=3)
    )
    assert StartOfDayMapper(timezone="UTC") == StartOfDayMapper(timezone=dt.UTC)


def test_a_rollup_waits_for_all_unless_told_otherwise():
    rollup = RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow())
    fewer = RollupMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow(), wait_policy=MinimumCount(-1))

    assert [WaitForAll(), MinimumCount(-1)] == [rollup.wait_policy, fewer.wait_policy]
    with pytest.raises(TypeError, match="FixedKeyMapper stands for a str, one of DayWindow for a datetime"):
        RollupMapper(upstream_mapper=FixedKeyMapper("a"), window=DayWindow())


def test_a_window_goes_both_ways_and_comes_back():
    backward = DayWindow(direction=Window.Direction.BACKWARD)

    assert backward == DayWindow.deserialize(backward.serialize())
    assert SegmentWindow(["b", "a"]) == SegmentWindow.deserialize({"segments": ["a", "b"]})
    assert {"segments": ["a", "b"]} == SegmentWindow(["b", "a"]).serialize()


def test_a_fan_out_writes_keys_in_the_windows_unit_or_as_told():
    assert StartOfHourMapper() == FanOutMapper(upstream_mapper=StartOfDayMapper(), window=DayWindow()).downstream_mapper
    given = FanOutMapper(upstream_mapper=StartOfHourMapper(), window=HourWindow(), downstream_mapper=IdentityMapper())
    assert IdentityMapper() == given.downstream_mapper
