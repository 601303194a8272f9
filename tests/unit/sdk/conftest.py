from collections.abc import Iterator

import pytest
from doubles.channel import PlayedChannel, played


@pytest.fixture
def channel() -> Iterator[PlayedChannel]:
    with played() as channel:
        yield channel
