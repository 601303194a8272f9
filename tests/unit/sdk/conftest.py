"""A channel that the test plays: what the SDK asks ends in ``asked``, and ``answer`` is what it gets."""

from collections.abc import Iterator
from typing import Any

import pytest

from airlock.sdk import _channel


class PlayedChannel:
    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: Any = None

    def ask(self, message: Any) -> Any:
        self.asked.append(message)
        return self.answer


@pytest.fixture
def channel() -> Iterator[PlayedChannel]:
    played = PlayedChannel()
    _channel.install(played)
    yield played
    _channel.install(None)
