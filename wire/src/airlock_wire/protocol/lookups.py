"""
Messages that look something up, and their answers.

An answer of one value (a count, a date, a list) has one field for it. The other answers are the server's own object
with a ``type``. Objects inside stay plain maps: a launch passes them through as the server wrote them, so that a newer
server's fields reach a runner that knows them.
"""

from datetime import datetime
from typing import Any

from airlock_wire.protocol.messages import DagRun, Message

# --- XComs of several tasks -----------------------------------------------------------------------------------


class GetXComCount(Message, frozen=True, kw_only=True):
    """How many map indexes of a task have this XCom; XComCountResponse."""

    key: str
    dag_id: str
    run_id: str
    task_id: str


class XComCountResponse(Message, frozen=True, kw_only=True):
    """How many map indexes have the XCom."""

    len: int


class GetXComSequenceItem(Message, frozen=True, kw_only=True):
    """One value of a mapped task's XComs, by its place, from the end where negative; XComSequenceIndexResult."""

    key: str
    dag_id: str
    run_id: str
    task_id: str
    offset: int


class XComSequenceIndexResult(Message, frozen=True, kw_only=True):
    """The value."""

    root: Any


class GetXComSequenceSlice(Message, frozen=True, kw_only=True):
    """A Python slice of a mapped task's XComs; XComSequenceSliceResult."""

    key: str
    dag_id: str
    run_id: str
    task_id: str
    start: int | None
    stop: int | None
    step: int | None
    include_prior_dates: bool = False


class XComSequenceSliceResult(Message, frozen=True, kw_only=True):
    """The values."""

    root: list[Any]


# --- Variables ------------------------------------------------------------------------------------------------


class GetVariableKeys(Message, frozen=True, kw_only=True):
    """A page of the variables' names; VariableKeysResult."""

    prefix: str | None = None
    limit: int = 1000
    offset: int = 0


class VariableKeysResult(Message, frozen=True, kw_only=True):
    """The names, and how many there are on all pages."""

    keys: list[str]
    total_entries: int


# --- Assets ---------------------------------------------------------------------------------------------------


class GetAssetByName(Message, frozen=True, kw_only=True):
    """An asset; AssetResult, or ASSET_NOT_FOUND in the body slot."""

    name: str


class GetAssetByUri(Message, frozen=True, kw_only=True):
    """The same by its URI."""

    uri: str


class AssetResult(Message, frozen=True, kw_only=True):
    """An asset."""

    name: str
    uri: str
    group: str
    extra: dict[str, Any] | None = None


class GetAssetsByAlias(Message, frozen=True, kw_only=True):
    """The assets behind an alias; AssetsByAliasResult, empty for an alias that nobody knows."""

    alias_name: str


class AssetsByAliasResult(Message, frozen=True, kw_only=True):
    """The assets, each as in ``AssetResult``."""

    assets: list[AssetResult]


class GetAssetEventByAsset(Message, frozen=True, kw_only=True):
    """The events of an asset by name, URI or both, within a time; AssetEventsResult."""

    name: str | None
    uri: str | None
    after: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    ascending: bool = True


class GetAssetEventByAssetAlias(Message, frozen=True, kw_only=True):
    """The same by an alias."""

    alias_name: str
    after: datetime | None = None
    before: datetime | None = None
    limit: int | None = None
    ascending: bool = True


class AssetEventsResult(Message, frozen=True, kw_only=True):
    """The events."""

    asset_events: list[Any]


class ValidateInletsAndOutlets(Message, frozen=True, kw_only=True):
    """Which of the task's assets are not active; InactiveAssetsResult."""

    ti_id: str


class InactiveAssetsResult(Message, frozen=True, kw_only=True):
    """Those that are not."""

    inactive_assets: list[Any] | None = None


# --- DAGs and DAG runs ----------------------------------------------------------------------------------------


class GetDag(Message, frozen=True, kw_only=True):
    """A DAG; DagResult."""

    dag_id: str


class DagResult(Message, frozen=True, kw_only=True):
    """A DAG."""

    dag_id: str
    is_paused: bool
    bundle_name: str | None
    bundle_version: str | None
    relative_fileloc: str | None
    owners: str | None
    tags: list[str]
    next_dagrun: datetime | None


class GetDagRun(Message, frozen=True, kw_only=True):
    """A DAG run; DagRunResult."""

    dag_id: str
    run_id: str


class DagRunResult(DagRun, tag_field="type", tag=True, frozen=True, kw_only=True):
    """A DAG run."""


class GetDagRunState(Message, frozen=True, kw_only=True):
    """A DAG run's state; DagRunStateResult."""

    dag_id: str
    run_id: str


class DagRunStateResult(Message, frozen=True, kw_only=True):
    """The state."""

    state: str


class GetDRCount(Message, frozen=True, kw_only=True):
    """How many DAG runs of a DAG match; DRCount."""

    dag_id: str
    logical_dates: list[datetime] | None = None
    run_ids: list[str] | None = None
    states: list[str] | None = None


class DRCount(Message, frozen=True, kw_only=True):
    """How many."""

    count: int


class GetPreviousDagRun(Message, frozen=True, kw_only=True):
    """The DAG run before a date; PreviousDagRunResult."""

    dag_id: str
    logical_date: datetime
    state: str | None = None


class PreviousDagRunResult(Message, frozen=True, kw_only=True):
    """The DAG run, null if there is no earlier one."""

    dag_run: DagRun | None = None


class GetPrevSuccessfulDagRun(Message, frozen=True, kw_only=True):
    """The dates of the DAG run that was last successful before this one; PrevSuccessfulDagRunResult."""

    ti_id: str


class PrevSuccessfulDagRunResult(Message, frozen=True, kw_only=True):
    """The dates, null if no earlier DAG run was successful."""

    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None


# --- Task instances -------------------------------------------------------------------------------------------


class GetTICount(Message, frozen=True, kw_only=True):
    """How many task instances of a DAG match; TICount."""

    dag_id: str
    map_index: int | None = None
    task_ids: list[str] | None = None
    task_group_id: str | None = None
    logical_dates: list[datetime] | None = None
    run_ids: list[str] | None = None
    states: list[str] | None = None


class TICount(Message, frozen=True, kw_only=True):
    """How many."""

    count: int


class GetTaskStates(Message, frozen=True, kw_only=True):
    """The states of a DAG's task instances; TaskStatesResult."""

    dag_id: str
    map_index: int | None = None
    task_ids: list[str] | None = None
    task_group_id: str | None = None
    logical_dates: list[datetime] | None = None
    run_ids: list[str] | None = None


class TaskStatesResult(Message, frozen=True, kw_only=True):
    """The states by run id, and in that by task id (``task_id_mapindex`` where it is mapped)."""

    task_states: dict[str, Any]


class GetTaskBreadcrumbs(Message, frozen=True, kw_only=True):
    """The task instances of a DAG run that have ended; TaskBreadcrumbsResult."""

    dag_id: str
    run_id: str


class TaskBreadcrumbsResult(Message, frozen=True, kw_only=True):
    """Each with its task id, map index, state, operator and duration."""

    breadcrumbs: list[dict[str, Any]]


class GetPreviousTI(Message, frozen=True, kw_only=True):
    """The same task's instance in an earlier DAG run; PreviousTIResult."""

    dag_id: str
    task_id: str
    logical_date: datetime | None = None
    map_index: int = -1
    state: str | None = None


class PreviousTIResult(Message, frozen=True, kw_only=True):
    """The task instance, null if no earlier DAG run has it."""

    task_instance: dict[str, Any] | None = None


class GetTaskRescheduleStartDate(Message, frozen=True, kw_only=True):
    """When a try that was rescheduled was first started; TaskRescheduleStartDate."""

    ti_id: str
    try_number: int = 1


class TaskRescheduleStartDate(Message, frozen=True, kw_only=True):
    """The date, null if the try was never rescheduled."""

    start_date: datetime | None
