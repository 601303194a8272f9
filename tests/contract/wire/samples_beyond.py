"""One value, with no field left at its default, of every message that our own runner does not send or is not told."""

from datetime import UTC, datetime

from airlock_wire.protocol import changes, endings, lookups, messages, stores
from airlock_wire.protocol.messages import DagRun

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
JSON = {"text": "ü\n\0", "numbers": [0, -1, 1.5, 2**53], "none": None, "deep": [{"list": [[], {}]}], "yes": True}
TI_ID = "0198a5c2-3a4b-7c5d-8e6f-112233445566"
XCOM = {"dag_id": "etl.näch", "run_id": "manual__2026-01-02T03:04:05+00:00", "task_id": "load.part", "key": "rows"}
FILTERS = {
    "dag_id": "etl", "map_index": 3, "task_ids": ["load", "make"], "task_group_id": "group", "logical_dates": [AT, AT],
    "run_ids": ["manual__1", "manual__2"],
}  # fmt: skip
WITHIN = {"after": AT, "before": AT, "limit": 5, "ascending": False}
HITL = {
    "ti_id": TI_ID, "options": ["yes", "no"], "subject": "Go on?", "body": "It is **late**.", "defaults": ["yes"],
    "multiple": True, "params": {"days": {"value": 3}}, "assigned_users": [{"id": "1", "name": "ada"}],
}  # fmt: skip
EVENT = {
    "id": 1, "timestamp": "2026-01-02T03:04:05Z", "extra": {"rows": 3}, "created_dagruns": [],
    "asset": {"name": "orders", "uri": "s3://orders", "group": "asset", "extra": {}}, "source_task_id": "make",
    "source_dag_id": "source", "source_run_id": "manual__0", "source_map_index": -1, "partition_key": "2026-01",
}  # fmt: skip
DAG_RUN = {
    "dag_id": "etl", "run_id": "manual__1", "logical_date": AT, "data_interval_start": AT, "data_interval_end": AT,
    "run_after": AT, "start_date": AT, "end_date": AT, "run_type": "scheduled", "state": "running",
    "consumed_asset_events": [], "partition_key": "2026-01", "clear_number": 2, "conf": {"day": "2026-01-02"},
    "triggering_user_name": "ada", "partition_date": AT, "note": "by hand", "team_name": "etl",
}  # fmt: skip
PREVIOUS_TI = {
    "task_id": "load", "dag_id": "etl", "run_id": "manual__0", "logical_date": "2026-01-02T03:04:05Z",
    "start_date": "2026-01-02T03:04:05Z", "end_date": "2026-01-02T03:04:05Z", "state": "success", "try_number": 1,
    "map_index": 3, "duration": 1.5,
}  # fmt: skip

ASKED = (
    endings.DeferTask(
        classpath="my.Trigger", next_method="resume", trigger_kwargs={"moment": "noon"}, trigger_timeout="PT1.5S",
        queue="triggers", next_kwargs={"a": [1]}, rendered_map_index="first",
    ),
    endings.RescheduleTask(reschedule_date=AT, end_date=AT),
    endings.AwaitInputTask(
        next_method="resume", timeout="PT2.5S", next_kwargs={"a": [1]}, rendered_map_index="first"
    ),
    lookups.GetXComCount(**XCOM),
    lookups.GetXComSequenceItem(offset=-2, **XCOM),
    lookups.GetXComSequenceSlice(start=1, stop=9, step=2, include_prior_dates=True, **XCOM),
    lookups.GetVariableKeys(prefix="etl_", limit=10, offset=20),
    lookups.GetAssetByName(name="orders"),
    lookups.GetAssetByUri(uri="s3://orders?a=b&c"),
    lookups.GetAssetsByAlias(alias_name="all orders"),
    lookups.GetAssetEventByAsset(name="orders", uri="s3://orders", **WITHIN),
    lookups.GetAssetEventByAssetAlias(alias_name="all orders", **WITHIN),
    lookups.ValidateInletsAndOutlets(ti_id=TI_ID),
    lookups.GetDag(dag_id="etl.näch"),
    lookups.GetDagRun(dag_id="etl", run_id="manual__1"),
    lookups.GetDagRunState(dag_id="etl", run_id="manual__1"),
    lookups.GetDRCount(dag_id="etl", logical_dates=[AT], run_ids=["manual__1"], states=["running", "queued"]),
    lookups.GetPreviousDagRun(dag_id="etl", logical_date=AT, state="success"),
    lookups.GetPrevSuccessfulDagRun(ti_id=TI_ID),
    lookups.GetTICount(states=["running"], **FILTERS),
    lookups.GetTaskStates(**FILTERS),
    lookups.GetTaskBreadcrumbs(dag_id="etl", run_id="manual__1"),
    lookups.GetPreviousTI(dag_id="etl", task_id="load", logical_date=AT, map_index=3, state="success"),
    lookups.GetTaskRescheduleStartDate(ti_id=TI_ID, try_number=2),
    changes.DeleteXCom(map_index=3, **XCOM),
    changes.PutVariable(key="a/b ü", value="*", description="what it is"),
    changes.DeleteVariable(key="a/b ü"),
    changes.SetRenderedMapIndex(rendered_map_index="first"),
    changes.SkipDownstreamTasks(tasks=["load", ["make", 3]]),
    changes.TriggerDagRun(
        dag_id="etl", run_id="manual__1", logical_date=AT, run_after=AT, conf={"a": 1}, reset_dag_run=True,
        partition_key="2026-01", note="by hand",
    ),
    changes.CreateHITLDetailPayload(**HITL),
    changes.UpdateHITLDetail(ti_id=TI_ID, chosen_options=["yes"], params_input={"days": 3}),
    changes.GetHITLDetailResponse(ti_id=TI_ID),
    changes.ResendLoggingFD(),
    stores.GetTaskStateStore(ti_id=TI_ID, key="a/b ü"),
    stores.SetTaskStateStore(ti_id=TI_ID, key="a/b ü", value=JSON, expires_at=AT),
    stores.DeleteTaskStateStore(ti_id=TI_ID, key="a/b ü"),
    stores.ClearTaskStateStore(ti_id=TI_ID),
    stores.GetAssetStateStoreByName(name="orders", key="mark"),
    stores.GetAssetStateStoreByUri(uri="s3://orders", key="mark"),
    stores.SetAssetStateStoreByName(name="orders", key="mark", value=JSON),
    stores.SetAssetStateStoreByUri(uri="s3://orders", key="mark", value=JSON),
    stores.DeleteAssetStateStoreByName(name="orders", key="mark"),
    stores.DeleteAssetStateStoreByUri(uri="s3://orders", key="mark"),
    stores.ClearAssetStateStoreByName(name="orders"),
    stores.ClearAssetStateStoreByUri(uri="s3://orders"),
)  # fmt: skip

TOLD = (
    lookups.XComCountResponse(len=3),
    lookups.XComSequenceIndexResult(root=JSON),
    lookups.XComSequenceSliceResult(root=[JSON, 1]),
    lookups.VariableKeysResult(keys=["etl_a"], total_entries=21),
    lookups.AssetResult(name="orders", uri="s3://orders", group="asset", extra={"a": 1}),
    lookups.AssetsByAliasResult(assets=[lookups.AssetResult(name="orders", uri="s3://orders", group="asset")]),
    lookups.AssetEventsResult(asset_events=[EVENT]),
    lookups.InactiveAssetsResult(inactive_assets=[{"name": "orders", "uri": "s3://orders", "type": "Asset"}]),
    lookups.DagResult(
        dag_id="etl", is_paused=True, bundle_name="local", bundle_version="abc", relative_fileloc="etl.py",
        owners="ada", tags=["daily"], next_dagrun=AT,
    ),
    lookups.DagRunResult(**DAG_RUN),
    lookups.DagRunStateResult(state="running"),
    lookups.DRCount(count=3),
    lookups.PreviousDagRunResult(dag_run=DagRun(**DAG_RUN)),
    lookups.PrevSuccessfulDagRunResult(
        data_interval_start=AT, data_interval_end=AT, start_date=AT, end_date=AT
    ),
    lookups.TICount(count=3),
    lookups.TaskStatesResult(task_states={"manual__1": {"load_3": "running"}}),
    lookups.TaskBreadcrumbsResult(
        breadcrumbs=[{"task_id": "load", "map_index": 3, "state": "success", "operator": "Bash", "duration": 1.5}]
    ),
    lookups.PreviousTIResult(task_instance=PREVIOUS_TI),
    lookups.TaskRescheduleStartDate(start_date=AT),
    changes.HITLDetailRequestResult(**HITL),
    changes.SentFDs(fds=[9]),
    messages.TaskStateStoreResult(value=JSON),
    stores.AssetStateStoreResult(value=JSON),
)  # fmt: skip
