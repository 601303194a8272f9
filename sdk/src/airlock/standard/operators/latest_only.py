"""A branch that lets only the latest run through."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from airlock.sdk.bases.branch import BaseBranchOperator
from airlock.sdk.execution_time import log
from airlock.sdk.timetables.next_tick import end_of_next

_LOGGER = "airlock.task.operators.latest_only"


class LatestOnlyOperator(BaseBranchOperator):
    """Skips the tasks directly after it in a run that is not the latest by its schedule. Manual runs pass."""

    ui_color = "#e9ffdb"

    def choose_branch(self, context: Any) -> str | Iterable[str]:
        """Returns the tasks after it, or none."""
        run = context["dag_run"]
        everything = list(self.get_direct_relative_ids(upstream=False))
        if run.run_type == "manual":
            log.line("info", "Manually triggered DAG_Run: allowing execution to proceed.", _LOGGER)
            return everything
        date = run.logical_date or run.run_after
        start, end = run.data_interval_start or date, run.data_interval_end or date
        until = end_of_next(self.dag.timetable, start, end)
        if until is None:
            log.line("info", "Last scheduled execution: allowing execution to proceed.", _LOGGER)
            return everything
        now = datetime.now(UTC)
        log.line("info", f"Checking latest only with left_window: {start} right_window: {until} now: {now}", _LOGGER)
        if start < now <= until:
            log.line("info", "Latest, allowing execution to proceed.", _LOGGER)
            return everything
        log.line("info", "Not latest execution, skipping downstream.", _LOGGER)
        return []
