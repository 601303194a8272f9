"""When a run that rolls up several partitions starts: with all of them, or with enough."""

from typing import ClassVar

from airlock.sdk.basis.record import Record


class WaitPolicy(Record):
    """The base of the policies: how many of the partitions that a run needs must have come."""


class WaitForAll(WaitPolicy):
    """The run starts when every partition has come."""


class MinimumCount(WaitPolicy):
    """The run starts when ``n`` partitions have come, or, if ``n`` is negative, when at most ``-n`` are missing."""

    _record: ClassVar[tuple[str, ...]] = ("n",)

    def __init__(self, n: int) -> None:
        """Raises ValueError for 0, which would start a run without any partition."""
        if n == 0:
            raise ValueError(
                "MinimumCount(0) would start a run without any partition; use WaitForAll(), or a count that is not 0"
            )
        self.n = n
