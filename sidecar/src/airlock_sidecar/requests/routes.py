"""
Maps each message to its request of the Execution API, and the answer to a reply: one table. Pure.

A row says everything about a message: method and path, which fields go where, which reply the answer becomes, and what
a 404 means. It also has the rule of access that governs the message, or says why it needs no rule. What a row cannot
say (masking, a reply without a request) is in ``answers``. docs/messages.md is made from both tables.
"""

from typing import Any

from airlock_sidecar.requests import access, governing
from airlock_sidecar.requests.route import Route
from airlock_wire.protocol import changes, lookups, messages, stores, whole
from airlock_wire.protocol.messages import ErrorType

_XCOM = "/xcoms/{dag_id}/{run_id}/{task_id}/{key}"
_TI = "/task-instances/{ti_id}"
_STORE = "/store/ti/{ti_id}"
_BY_NAME, _BY_URI = "/store/asset/by-name", "/store/asset/by-uri"
_ALL_TASKS, _ALL_RUNS = governing.tasks, governing.dag_runs
_MAP_INDEX = ("map_index",)
_FILTERS = ("dag_id", "map_index", "task_ids", "task_group_id", "logical_dates", "run_ids")
_EVENTS, _FLAGS = ("after", "before", "ascending", "limit"), ("ascending",)
_HITL = ("ti_id", "options", "subject", "body", "defaults", "multiple", "params", "assigned_users")
_OK = messages.OKResponse
_READS, _WRITES = access.XCOM_READS, access.XCOM_WRITES
_KEPT, _ASSETS, _TASKS, _RUNS = access.ASSET_STORES, access.ASSETS, access.TASKS, access.DAG_RUNS
_BY_XCOM, _BY_ASSET = governing.xcom, governing.asset
#: Why a message of this task instance's needs no grant.
_OWN = "this task instance's own"
#: The ends of an XCom's key that are routes of a mapped task's XComs, and the variable's key that is the list of keys.
_PARTS_OF_XCOM, _ALL_KEYS = ("key", r".*/(slice|item/[^/]+)"), ("key", "keys")
#: A connection's id may have a slash, but the API's route to connections takes none.
_NO_CONNECTION = ("conn_id", r".*/.*")
#: A run id that the API takes for a route of older clients.
_RUN_BEFORE = ("run_id", "previous")
_NO_ASSET, _NO_TASK_KEY, _NO_ASSET_KEY = (
    ErrorType.ASSET_NOT_FOUND,
    ErrorType.TASK_STORE_NOT_FOUND,
    ErrorType.ASSET_STORE_NOT_FOUND,
)

ROUTES: dict[type[Any], Route] = {
    # XComs
    messages.GetXCom: Route(
        "GET", _XCOM, messages.XComResult, in_pieces=True, query=("map_index", "include_prior_dates"),
        from_zero=_MAP_INDEX, rule=_READS, needs=_BY_XCOM, reserved=_PARTS_OF_XCOM,
    ),
    lookups.GetXComCount: Route("HEAD", _XCOM, lookups.XComCountResponse, "len", rule=_READS, needs=_BY_XCOM),
    lookups.GetXComSequenceItem: Route(
        "GET", f"{_XCOM}/item/{{offset}}", lookups.XComSequenceIndexResult, "root",
        not_found=ErrorType.XCOM_NOT_FOUND, detail=("dag_id", "run_id", "task_id", "key", "offset"), rule=_READS,
        needs=_BY_XCOM,
    ),
    lookups.GetXComSequenceSlice: Route(
        "GET", f"{_XCOM}/slice", lookups.XComSequenceSliceResult, "root",
        query=("start", "stop", "step", "include_prior_dates"), rule=_READS, needs=_BY_XCOM,
    ),
    messages.SetXCom: Route(
        "POST", _XCOM, query=("map_index", "dag_result", "mapped_length"), from_zero=("map_index", "mapped_length"),
        whole="value", rule=_WRITES, needs=_BY_XCOM, changes=True,
    ),
    changes.DeleteXCom: Route(
        "DELETE", _XCOM, query=_MAP_INDEX, from_zero=_MAP_INDEX, rule=_WRITES, needs=_BY_XCOM, changes=True
    ),
    # Variables and connections
    messages.GetVariable: Route(
        "GET", "/variables/{key}", messages.VariableResult, not_found=ErrorType.VARIABLE_NOT_FOUND, detail=("key",),
        rule=access.VARIABLES, governed="key", denied_in_body=True, reserved=_ALL_KEYS,
    ),
    lookups.GetVariableKeys: Route(
        "GET", "/variables/keys", lookups.VariableKeysResult, query=("prefix", "limit", "offset"),
        rule=access.VARIABLES, needs=governing.variable_keys,
    ),
    changes.PutVariable: Route(
        "PUT", "/variables/{key}", body=("value", "description"), renamed=("value", "val"),
        rule=access.VARIABLE_WRITES, governed="key", changes=True,
    ),
    changes.DeleteVariable: Route(
        "DELETE", "/variables/{key}", _OK, rule=access.VARIABLE_WRITES, governed="key", changes=True
    ),
    messages.GetConnection: Route(
        "GET", "/connections/{conn_id}", messages.ConnectionResult, not_found=ErrorType.CONNECTION_NOT_FOUND,
        detail=("conn_id",), rule=access.CONNECTIONS, governed="conn_id", denied_in_body=True, reserved=_NO_CONNECTION,
    ),
    # This task instance
    messages.SetRenderedFields: Route("PUT", f"{_TI}/rtif", whole="rendered_fields", free=_OWN, changes=True),
    changes.SetRenderedMapIndex: Route(
        "PATCH", f"{_TI}/rendered-map-index", whole="rendered_map_index", free=_OWN, changes=True
    ),
    changes.SkipDownstreamTasks: Route(
        "PATCH", f"{_TI}/skip-downstream", body=("tasks",), changes=True,
        free="tasks of this DAG run only, which the server looks up by the task instance",
    ),
    lookups.ValidateInletsAndOutlets: Route(
        "GET", f"{_TI}/validate-inlets-and-outlets", lookups.InactiveAssetsResult, free=_OWN
    ),
    lookups.GetPrevSuccessfulDagRun: Route(
        "GET", f"{_TI}/previous-successful-dagrun", lookups.PrevSuccessfulDagRunResult, any_ti_id=True,
        free="four dates of this DAG's run before this one, and nothing else of it",
    ),
    lookups.GetTaskRescheduleStartDate: Route(
        "GET", "/task-reschedules/{ti_id}/start_date", lookups.TaskRescheduleStartDate, "start_date",
        query=("try_number",), free=_OWN,
    ),
    changes.CreateHITLDetailPayload: Route(
        "POST", "/hitlDetails/{ti_id}", changes.HITLDetailRequestResult, body=_HITL, free=_OWN, changes=True
    ),
    # Other task instances, DAG runs and DAGs
    lookups.GetTICount: Route(
        "GET", "/task-instances/count", lookups.TICount, "count", query=(*_FILTERS, "states"), from_zero=_MAP_INDEX,
        rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetTaskStates: Route(
        "GET", "/task-instances/states", lookups.TaskStatesResult, query=_FILTERS, from_zero=_MAP_INDEX,
        rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetTaskBreadcrumbs: Route(
        "GET", "/task-instances/breadcrumbs", lookups.TaskBreadcrumbsResult, query=("dag_id", "run_id"),
        rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetPreviousTI: Route(
        "GET", "/task-instances/previous/{dag_id}/{task_id}", lookups.PreviousTIResult, "task_instance",
        query=("map_index", "logical_date", "state"), from_zero=_MAP_INDEX, rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetDag: Route("GET", "/dags/{dag_id}", lookups.DagResult, rule=_RUNS, needs=governing.dag),
    lookups.GetDagRun: Route(
        "GET", "/dag-runs/{dag_id}/{run_id}", lookups.DagRunResult, rule=_RUNS, needs=governing.dag_run,
        reserved=_RUN_BEFORE,
    ),
    lookups.GetDagRunState: Route(
        "GET", "/dag-runs/{dag_id}/{run_id}/state", lookups.DagRunStateResult, rule=_RUNS, needs=governing.dag_run
    ),
    lookups.GetDRCount: Route(
        "GET", "/dag-runs/count", lookups.DRCount, "count", query=("dag_id", "logical_dates", "run_ids", "states"),
        rule=_RUNS, needs=_ALL_RUNS,
    ),
    lookups.GetPreviousDagRun: Route(
        "GET", "/dag-runs/previous", lookups.PreviousDagRunResult, "dag_run",
        query=("dag_id", "logical_date", "state"), rule=_RUNS, needs=_ALL_RUNS,
    ),
    changes.TriggerDagRun: Route(
        "POST", "/dag-runs/{dag_id}/{run_id}", _OK,
        body=("logical_date", "run_after", "conf", "reset_dag_run", "partition_key", "note"), sparse=True,
        rule=access.TRIGGERS, governed="dag_id", changes=True,
    ),
    # Assets
    lookups.GetAssetByName: Route(
        "GET", "/assets/by-name", lookups.AssetResult, query=("name",), not_found=_NO_ASSET, detail=("name",),
        rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetByUri: Route(
        "GET", "/assets/by-uri", lookups.AssetResult, query=("uri",), not_found=_NO_ASSET, detail=("uri",),
        rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetsByAlias: Route(
        "GET", "/assets/by-alias", lookups.AssetsByAliasResult, "assets", items=lookups.AssetResult,
        query=("alias_name",), rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetEventByAsset: Route(
        "GET", "/asset-events/by-asset", lookups.AssetEventsResult, query=("name", "uri", *_EVENTS), flags=_FLAGS,
        one_of=("name", "uri"), rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetEventByAssetAlias: Route(
        "GET", "/asset-events/by-asset-alias", lookups.AssetEventsResult, query=("alias_name", *_EVENTS), flags=_FLAGS,
        renamed=("alias_name", "name"), rule=_ASSETS, needs=_BY_ASSET,
    ),
    # State stores
    stores.GetTaskStateStore: Route(
        "GET", f"{_STORE}/{{key}}", messages.TaskStateStoreResult, not_found=_NO_TASK_KEY, detail=("key",), free=_OWN
    ),
    stores.SetTaskStateStore: Route(
        "PUT", f"{_STORE}/{{key}}", _OK, body=("value", "expires_at"), free=_OWN, changes=True
    ),
    stores.DeleteTaskStateStore: Route("DELETE", f"{_STORE}/{{key}}", _OK, free=_OWN, changes=True),
    stores.ClearTaskStateStore: Route("DELETE", _STORE, _OK, free=_OWN, changes=True),
    stores.ClearAllTaskStateStore: Route(
        "DELETE", "/store/task/{ti_id}", _OK, free="values of this task in this DAG run alone", changes=True
    ),
    stores.GetAssetStateStoreByName: Route(
        "GET", f"{_BY_NAME}/value", stores.AssetStateStoreResult, query=("name", "key"), not_found=_NO_ASSET_KEY,
        detail=("key",), rule=_KEPT, governed="name",
    ),
    stores.GetAssetStateStoreByUri: Route(
        "GET", f"{_BY_URI}/value", stores.AssetStateStoreResult, query=("uri", "key"), not_found=_NO_ASSET_KEY,
        detail=("key",), rule=_KEPT, governed="uri",
    ),
    stores.SetAssetStateStoreByName: Route(
        "PUT", f"{_BY_NAME}/value", _OK, query=("name", "key"), body=("value",), rule=_KEPT, governed="name",
        changes=True,
    ),
    stores.SetAssetStateStoreByUri: Route(
        "PUT", f"{_BY_URI}/value", _OK, query=("uri", "key"), body=("value",), rule=_KEPT, governed="uri",
        changes=True,
    ),
    stores.DeleteAssetStateStoreByName: Route(
        "DELETE", f"{_BY_NAME}/value", _OK, query=("name", "key"), rule=_KEPT, governed="name", changes=True
    ),
    stores.DeleteAssetStateStoreByUri: Route(
        "DELETE", f"{_BY_URI}/value", _OK, query=("uri", "key"), rule=_KEPT, governed="uri", changes=True
    ),
    stores.ClearAssetStateStoreByName: Route(
        "DELETE", f"{_BY_NAME}/clear", _OK, query=("name",), rule=_KEPT, governed="name", changes=True
    ),
    stores.ClearAssetStateStoreByUri: Route(
        "DELETE", f"{_BY_URI}/clear", _OK, query=("uri",), rule=_KEPT, governed="uri", changes=True
    ),
}  # fmt: skip
ROUTES[whole.LargeSetXCom] = ROUTES[messages.SetXCom]
