"""A channel that a test plays: what the SDK asks ends in ``asked``, and ``answer`` is what it gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airlock.sdk import _channel


class PlayedChannel:
    """The SDK's channel inside of ``played``."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: Any = None

    def ask(self, message: Any) -> Any:
        """Notes a message, and answers."""
        self.asked.append(message)
        return self.answer


@contextmanager
def played() -> Iterator[PlayedChannel]:
    """Makes a played channel the one that the SDK asks, inside the block."""
    channel = PlayedChannel()
    _channel.install(channel)
    try:
        yield channel
    finally:
        _channel.install(None)
