"""Mappers of keys that stand for moments: to the start of a period, and to every moment of a period."""

import datetime as dt
from typing import ClassVar

from airlock.sdk.basis.zones import zone
from airlock.sdk.definitions.partitions.mapper import PartitionMapper
from airlock.sdk.definitions.partitions.window import Window


class TemporalMapper(PartitionMapper):
    """
    The base of the mappers to the start of a period.

    ``input_format`` reads the asset's key, as ``strptime`` does, and ``output_format`` writes the DAG's. The period is
    one of the calendar in ``timezone``.
    """

    default_output_format: ClassVar[str]
    expected_decoded_type: ClassVar[type] = dt.datetime

    _record: ClassVar[tuple[str, ...]] = ("timezone", "input_format", "output_format", "max_downstream_keys")

    def __init__(
        self,
        *,
        max_downstream_keys: int | None = None,
        timezone: str | dt.tzinfo = "UTC",
        input_format: str = "%Y-%m-%dT%H:%M:%S",
        output_format: str | None = None,
    ) -> None:
        """Raises ValueError for a time zone that nobody knows."""
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.timezone = zone(timezone)
        self.input_format = input_format
        self.output_format = output_format or self.default_output_format


class StartOfHourMapper(TemporalMapper):
    """To the hour, by default ``2024-03-13T10``."""

    default_output_format = "%Y-%m-%dT%H"


class StartOfDayMapper(TemporalMapper):
    """To the day, by default ``2024-03-13``."""

    default_output_format = "%Y-%m-%d"


class StartOfWeekMapper(TemporalMapper):
    """To the Monday of the week, by default with the number of the week: ``2024-03-11 (W11)``."""

    default_output_format = "%Y-%m-%d (W%V)"


class StartOfMonthMapper(TemporalMapper):
    """To the month, by default ``2024-03``."""

    default_output_format = "%Y-%m"


class StartOfQuarterMapper(TemporalMapper):
    """To the quarter, by default ``2024-Q1``. ``{quarter}`` in a format is its number."""

    default_output_format = "%Y-Q{quarter}"


class StartOfYearMapper(TemporalMapper):
    """To the year, by default ``2024``."""

    default_output_format = "%Y"


class FanOutMapper(PartitionMapper):
    """
    One partition of the asset to many of the DAG: ``upstream_mapper`` reads the key, and ``window`` lists the many.

    ``downstream_mapper`` writes the key of each. Without it, it is the mapper to the unit in which the window counts.
    """

    default_downstream_mapper_by_window_name: ClassVar[dict[str, type[TemporalMapper]]] = {
        "DayWindow": StartOfHourMapper,
        "WeekWindow": StartOfDayMapper,
        "MonthWindow": StartOfDayMapper,
        "QuarterWindow": StartOfMonthMapper,
        "YearWindow": StartOfMonthMapper,
    }

    _record: ClassVar[tuple[str, ...]] = ("upstream_mapper", "window", "downstream_mapper", "max_downstream_keys")

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Window,
        downstream_mapper: PartitionMapper | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        """Raises ValueError without a ``downstream_mapper`` for a window that has no usual one."""
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper = upstream_mapper
        self.window = window
        self.downstream_mapper = downstream_mapper or self._usual(window)

    @classmethod
    def _usual(cls, window: Window) -> PartitionMapper:
        # By the name, as in Airflow: a class derived from ours may be listed too.
        mapper = cls.default_downstream_mapper_by_window_name.get(type(window).__name__)
        if mapper is None:
            raise ValueError(f"{cls.__name__}: {type(window).__name__} has no usual mapper; give it downstream_mapper=")
        return mapper()
