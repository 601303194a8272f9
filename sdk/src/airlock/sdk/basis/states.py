"""The states of task instances and DAG runs, and the kinds of DAG runs, in Airflow's words."""

from enum import Enum


class TaskInstanceState(str, Enum):  # noqa: UP042 - Airflow's state shows as its name in `str()`
    """Each state that a task instance can be in. One that was not scheduled yet has none of them."""

    REMOVED = "removed"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


class DagRunState(str, Enum):  # noqa: UP042 - as above
    """Each state that a DAG run can be in."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class DagRunType(str, Enum):  # noqa: UP042 - as above
    """Who made a DAG run."""

    BACKFILL = "backfill"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    OPERATOR_TRIGGERED = "operator_triggered"
    ASSET_TRIGGERED = "asset_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"
