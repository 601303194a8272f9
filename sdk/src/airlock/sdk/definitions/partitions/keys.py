"""Mappers of keys that are just text, and of keys with several parts."""

from collections.abc import Iterable
from typing import ClassVar

from airlock.sdk.definitions.partitions.mapper import PartitionMapper


class IdentityMapper(PartitionMapper):
    """Each partition of the asset to the DAG's partition of the same key."""

    def to_downstream(self, key: str) -> str:
        """Returns the key."""
        return key


class FixedKeyMapper(PartitionMapper):
    """Every partition of the asset to one partition of the DAG."""

    _record: ClassVar[tuple[str, ...]] = ("downstream_key", "max_downstream_keys")

    def __init__(self, downstream_key: str, *, max_downstream_keys: int | None = None) -> None:
        """Raises ValueError for a key that is empty or not text."""
        super().__init__(max_downstream_keys=max_downstream_keys)
        if not isinstance(downstream_key, str) or not downstream_key:
            raise ValueError(f"FixedKeyMapper: downstream_key must be text that is not empty, not {downstream_key!r}")
        self.downstream_key = downstream_key

    def to_downstream(self, key: str) -> str:  # noqa: ARG002 - every key comes to the same
        """Returns the one key."""
        return self.downstream_key


class AllowedKeyMapper(PartitionMapper):
    """Each partition of the asset to the DAG's partition of the same key, if the key is one of a list."""

    _record: ClassVar[tuple[str, ...]] = ("allowed_keys", "max_downstream_keys")

    def __init__(self, allowed_keys: list[str], *, max_downstream_keys: int | None = None) -> None:
        """``allowed_keys`` is the list. An event of another key makes no run."""
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.allowed_keys = allowed_keys


class _Several(PartitionMapper):
    _record: ClassVar[tuple[str, ...]] = ("mappers", "max_downstream_keys")

    def __init__(self, mappers: Iterable[PartitionMapper], max_downstream_keys: int | None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = list(mappers)


class ChainMapper(_Several):
    """Several mappers, one after the other: each gets the key that the one before it returned."""

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        max_downstream_keys: int | None = None,
    ) -> None:
        """Takes two mappers at least."""
        super().__init__([mapper0, mapper1, *mappers], max_downstream_keys)


class ProductMapper(_Several):
    """A mapper for each part of a key. ``delimiter`` stands between the parts."""

    _record: ClassVar[tuple[str, ...]] = ("mappers", "delimiter", "max_downstream_keys")

    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        delimiter: str = "|",
        max_downstream_keys: int | None = None,
    ) -> None:
        """Takes two mappers at least."""
        super().__init__([mapper0, mapper1, *mappers], max_downstream_keys)
        self.delimiter = delimiter
