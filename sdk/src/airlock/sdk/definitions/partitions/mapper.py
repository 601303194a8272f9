"""Partition mappers: which partition of a DAG an asset's partition belongs to. Here are their base and the rollup."""

from typing import ClassVar

from airlock.sdk.basis.record import Record
from airlock.sdk.definitions.partitions.wait_policy import WaitForAll, WaitPolicy
from airlock.sdk.definitions.partitions.window import Window


class PartitionMapper(Record):
    """
    The base of the mappers. ``max_downstream_keys`` bounds how many partitions one event may lead to.

    ``expected_decoded_type`` is what a key stands for: a moment, or just its text.
    """

    is_rollup: ClassVar[bool] = False
    expected_decoded_type: ClassVar[type] = str

    _record: ClassVar[tuple[str, ...]] = ("max_downstream_keys",)

    def __init__(self, *, max_downstream_keys: int | None = None) -> None:
        """Raises ValueError for a bound that is not a positive whole number."""
        if max_downstream_keys is not None and (not isinstance(max_downstream_keys, int) or max_downstream_keys < 1):
            raise ValueError(
                f"{type(self).__name__}: max_downstream_keys must be a positive whole number or None, not "
                f"{max_downstream_keys!r}"
            )
        self.max_downstream_keys = max_downstream_keys


class RollupMapper(PartitionMapper):
    """
    Many partitions of the asset to one of the DAG: ``upstream_mapper`` finds the one, and ``window`` lists the many.

    ``wait_policy`` says how many of the many start the run.
    """

    is_rollup: ClassVar[bool] = True

    _record: ClassVar[tuple[str, ...]] = ("upstream_mapper", "window", "wait_policy", "max_downstream_keys")

    def __init__(
        self,
        *,
        max_downstream_keys: int | None = None,
        upstream_mapper: PartitionMapper,
        window: Window,
        wait_policy: WaitPolicy | None = None,
    ) -> None:
        """Raises TypeError for a mapper and a window whose keys stand for different things."""
        super().__init__(max_downstream_keys=max_downstream_keys)
        of_mapper, of_window = upstream_mapper.expected_decoded_type, window.expected_decoded_type
        if of_mapper is not of_window:
            raise TypeError(
                f"RollupMapper: a key of {type(upstream_mapper).__name__} stands for a {of_mapper.__name__}, one of "
                f"{type(window).__name__} for a {of_window.__name__}; choose two of one expected_decoded_type"
            )
        self.upstream_mapper = upstream_mapper
        self.window = window
        self.wait_policy = WaitForAll() if wait_policy is None else wait_policy
