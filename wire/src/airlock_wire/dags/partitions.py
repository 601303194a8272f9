"""
Mappers of partition keys: which key of a DAG's run belongs to which key of an asset. The names are Airflow's.
"""

from typing import Any, Literal

import msgspec

Period = Literal["hour", "day", "week", "month", "quarter", "year"]


class Window(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The keys of the parts that make up one key. ``classpath`` names a class of the author's; ``data`` is what it
    serializes. ``segments`` are sorted.
    """

    kind: Literal["hour", "day", "week", "month", "quarter", "year", "segment", "custom"]
    direction: Literal["forward", "backward"] = "forward"
    segments: list[str] = []
    classpath: str = ""
    data: dict[str, Any] = {}


class WaitPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    How many parts must be there. ``minimum`` None: all. Below zero it is how many may be missing.
    """

    minimum: int | None = None


class _Mapper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every mapper has: how many keys it may make out of one; None for the setting."""

    max_downstream_keys: int | None = None


class Identity(_Mapper, frozen=True, kw_only=True, tag="identity"):
    """Keeps the key."""


class FixedKey(_Mapper, frozen=True, kw_only=True, tag="fixed_key"):
    """Makes one key out of every key."""

    key: str


class AllowedKeys(_Mapper, frozen=True, kw_only=True, tag="allowed_keys"):
    """Keeps a key of the list, and refuses every other."""

    keys: list[str]


class StartOf(_Mapper, frozen=True, kw_only=True, tag="start_of"):
    """Makes the start of the period out of a key that is a time. The formats are those of strftime."""

    period: Period
    timezone: str = "UTC"
    input_format: str = "%Y-%m-%dT%H:%M:%S"
    output_format: str


class Product(_Mapper, frozen=True, kw_only=True, tag="product"):
    """Maps each segment of a key by a mapper of its own."""

    mappers: "list[PartitionMapper]"
    delimiter: str = "|"


class Chain(_Mapper, frozen=True, kw_only=True, tag="chain"):
    """Applies mappers one after the other."""

    mappers: "list[PartitionMapper]"


class FanOut(_Mapper, frozen=True, kw_only=True, tag="fan_out"):
    """Makes the keys of a window's members out of one key."""

    upstream: "PartitionMapper"
    window: Window
    downstream: "PartitionMapper"


class Rollup(_Mapper, frozen=True, kw_only=True, tag="rollup"):
    """Makes one key out of the keys of a window's members."""

    upstream: "PartitionMapper"
    window: Window
    wait_policy: WaitPolicy = WaitPolicy()


class CustomMapper(_Mapper, frozen=True, kw_only=True, tag="custom"):
    """A class of the author's, which a runner has to load; ``data`` is what it serializes."""

    classpath: str
    data: dict[str, Any] = {}


PartitionMapper = Identity | FixedKey | AllowedKeys | StartOf | Product | Chain | FanOut | Rollup | CustomMapper
