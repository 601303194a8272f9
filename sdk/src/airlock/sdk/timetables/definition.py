"""What every timetable of a DAG file is: a definition, which the scheduler computes runs of."""

from typing import TYPE_CHECKING

from airlock.sdk.basis.record import Record

if TYPE_CHECKING:
    from airlock.sdk.definitions.asset.conditions import BaseAsset


class BaseTimetable(Record):
    """
    The base of the timetables that a DAG file uses. It holds what the scheduler needs, and computes nothing itself.

    ``active_runs_limit`` is the most runs of the DAG at one time, None for no limit. ``asset_condition`` is what starts
    runs besides the clock. ``partitioned_at_runtime``: whoever starts a run names its partition.
    """

    can_be_scheduled: bool = True
    active_runs_limit: int | None = None
    asset_condition: "BaseAsset | None" = None
    partitioned_at_runtime: bool = False

    def validate(self) -> None:
        """Raises AirlockTimetableInvalid for a schedule that cannot be. By default every schedule can."""
