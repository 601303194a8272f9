"""Windows: which finer partitions make up one coarser partition."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Self

from airlock.sdk.basis.record import Record


class _Direction(str, Enum):  # noqa: UP042 - Airflow's direction shows as its name in `str()`
    """Whether a window starts or ends at the key."""

    BACKWARD = "backward"
    FORWARD = "forward"


_Direction.__name__ = _Direction.__qualname__ = "Direction"


class Window(Record):
    """
    The base of the windows. ``expected_decoded_type`` is what a key stands for: a moment, or just its text.

    A window that goes forward is the period that starts at the key, and one that goes backward the period that ends
    at it.
    """

    Direction: ClassVar = _Direction
    expected_decoded_type: ClassVar[type] = str

    _record: ClassVar[tuple[str, ...]] = ("direction",)

    def __init__(self, *, direction: _Direction = _Direction.FORWARD) -> None:
        """Raises ValueError for a direction that is neither forward nor backward."""
        self.direction = _Direction(direction)

    def serialize(self) -> dict[str, Any]:
        """Returns the fields as plain JSON."""
        return {"direction": self.direction.value}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Returns the window of these fields."""
        return cls(direction=_Direction(data["direction"]))


class HourWindow(Window):
    """The sixty minutes of an hour."""

    expected_decoded_type: ClassVar[type] = datetime


class DayWindow(Window):
    """Twenty-four hours of a day, by the clock on the wall, whatever a change to summer time does to it."""

    expected_decoded_type: ClassVar[type] = datetime


class WeekWindow(Window):
    """The seven days of a week."""

    expected_decoded_type: ClassVar[type] = datetime


class MonthWindow(Window):
    """The days of a month."""

    expected_decoded_type: ClassVar[type] = datetime


class QuarterWindow(Window):
    """The three months of a quarter."""

    expected_decoded_type: ClassVar[type] = datetime


class YearWindow(Window):
    """The twelve months of a year."""

    expected_decoded_type: ClassVar[type] = datetime


class SegmentWindow(Window):
    """A fixed set of keys that are not moments, for example regions. It has no direction."""

    _record: ClassVar[tuple[str, ...]] = ("segments",)

    def __init__(self, segments: Iterable[str]) -> None:
        """Raises ValueError, naming the place, for a key that is empty or not text, and without any key."""
        keys = list(segments)
        for place, key in enumerate(keys):
            if not isinstance(key, str) or not key:
                raise ValueError(f"SegmentWindow: segments[{place}] is {key!r}; a key must be text that is not empty")
        if not keys:
            raise ValueError("SegmentWindow: segments is empty; give it a key at least")
        super().__init__()
        self.segments = frozenset(keys)

    def serialize(self) -> dict[str, Any]:
        """Returns the keys as plain JSON, in order."""
        return {"segments": sorted(self.segments)}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Returns the window of these keys."""
        return cls(data["segments"])
