"""
Maps each message to its request of the Execution API, and the answer to a reply: one table. Pure.

A row says everything about a message: method and path, which fields go where, which reply the answer becomes, and what
a 404 means. It also has the rule of access that governs the message, or says why it needs no rule. What a row cannot
say (masking, a reply without a request) is in ``handlers``. The table in the documentation is made from both.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airlock_sidecar.errors import NotAllowed, NotFound
from airlock_sidecar.requests import access, bulk, governing, naming, weight
from airlock_sidecar.requests.bulk import as_json
from airlock_sidecar.upstream.calls import segment
from airlock_wire.protocol import changes, lookups, messages, stores, whole
from airlock_wire.protocol.messages import ErrorType
from airlock_wire.workload import Access

Message = Any
Ids = dict[str, Any]


class Route(NamedTuple):
    """
    The row of a message. Fields in braces of ``path`` are the message's, except ``ti_id``, which is this launch's.

    ``query`` and ``body`` name fields; a field that is None is left out of the query. ``whole`` sends one field as the
    body itself. ``reply`` is None for an empty answer; ``field`` puts the server's bare answer into that field of it.
    ``absent`` is the answer to a 404, in the body slot, with ``detail``'s fields. ``rule`` governs the message by the
    value of ``governed``, or by what ``needs`` finds in it; without a rule ``free`` says why it needs no grant.
    ``reserved`` is a field and a pattern: the API has another route for such values, so nothing can be read there.
    ``changes`` says that the request changes something, so a restarted sidecar must know that it was sent.
    """

    method: str
    path: str
    reply: type[Any] | None = None
    field: str = ""
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    whole: str = ""
    absent: ErrorType | None = None
    detail: tuple[str, ...] = ()
    rule: str = ""
    governed: str = ""
    needs: Callable[[Ids, Message], Iterator[governing.Needed]] | None = None
    free: str = ""
    reserved: tuple[str, str] = ("", "")
    changes: bool = False


_XCOM = "/xcoms/{dag_id}/{run_id}/{task_id}/{key}"
_TI = "/task-instances/{ti_id}"
_STORE = "/store/ti/{ti_id}"
_BY_NAME, _BY_URI = "/store/asset/by-name", "/store/asset/by-uri"
_ALL_TASKS, _ALL_RUNS = governing.tasks, governing.dag_runs
_FILTERS = ("dag_id", "map_index", "task_ids", "task_group_id", "logical_dates", "run_ids")
_EVENTS = ("after", "before", "ascending", "limit")
_HITL = ("ti_id", "options", "subject", "body", "defaults", "multiple", "params", "assigned_users")
_OK = messages.OKResponse
_READS, _WRITES = access.XCOM_READS, access.XCOM_WRITES
_KEPT, _ASSETS, _TASKS, _RUNS = access.ASSET_STORES, access.ASSETS, access.TASKS, access.DAG_RUNS
_BY_XCOM, _BY_ASSET = governing.xcom, governing.asset
#: Why a message of this task instance's needs no grant.
_OWN = "this task instance's own"
#: The ends of an XCom's key that are routes of a mapped task's XComs, and the variable's key that is the list of keys.
_PARTS_OF_XCOM, _ALL_KEYS = ("key", r".*/(slice|item/[^/]+)"), ("key", "keys")
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
        "GET", _XCOM, messages.XComResult, query=("map_index", "include_prior_dates"), rule=_READS, needs=_BY_XCOM,
        reserved=_PARTS_OF_XCOM,
    ),
    lookups.GetXComCount: Route("HEAD", _XCOM, lookups.XComCountResponse, "len", rule=_READS, needs=_BY_XCOM),
    lookups.GetXComSequenceItem: Route(
        "GET", f"{_XCOM}/item/{{offset}}", lookups.XComSequenceIndexResult, "root",
        absent=ErrorType.XCOM_NOT_FOUND, detail=("dag_id", "run_id", "task_id", "key", "offset"), rule=_READS,
        needs=_BY_XCOM,
    ),
    lookups.GetXComSequenceSlice: Route(
        "GET", f"{_XCOM}/slice", lookups.XComSequenceSliceResult, "root",
        query=("start", "stop", "step", "include_prior_dates"), rule=_READS, needs=_BY_XCOM,
    ),
    messages.SetXCom: Route(
        "POST", _XCOM, query=("map_index", "dag_result", "mapped_length"), whole="value", rule=_WRITES, needs=_BY_XCOM,
        changes=True,
    ),
    changes.DeleteXCom: Route("DELETE", _XCOM, query=("map_index",), rule=_WRITES, needs=_BY_XCOM, changes=True),
    # Variables and connections
    messages.GetVariable: Route(
        "GET", "/variables/{key}", messages.VariableResult, absent=ErrorType.VARIABLE_NOT_FOUND, detail=("key",),
        rule=access.VARIABLES, governed="key", reserved=_ALL_KEYS,
    ),
    lookups.GetVariableKeys: Route(
        "GET", "/variables/keys", lookups.VariableKeysResult, query=("prefix", "limit", "offset"),
        rule=access.VARIABLES, needs=governing.variable_keys,
    ),
    changes.PutVariable: Route(
        "PUT", "/variables/{key}", body=("value", "description"), rule=access.VARIABLE_WRITES, governed="key",
        changes=True,
    ),
    changes.DeleteVariable: Route(
        "DELETE", "/variables/{key}", _OK, rule=access.VARIABLE_WRITES, governed="key", changes=True
    ),
    messages.GetConnection: Route(
        "GET", "/connections/{conn_id}", messages.ConnectionResult, absent=ErrorType.CONNECTION_NOT_FOUND,
        detail=("conn_id",), rule=access.CONNECTIONS, governed="conn_id",
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
        "GET", f"{_TI}/previous-successful-dagrun", lookups.PrevSuccessfulDagRunResult,
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
        "GET", "/task-instances/count", lookups.TICount, "count", query=(*_FILTERS, "states"),
        rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetTaskStates: Route(
        "GET", "/task-instances/states", lookups.TaskStatesResult, query=_FILTERS, rule=_TASKS, needs=_ALL_TASKS
    ),
    lookups.GetTaskBreadcrumbs: Route(
        "GET", "/task-instances/breadcrumbs", lookups.TaskBreadcrumbsResult, query=("dag_id", "run_id"),
        rule=_TASKS, needs=_ALL_TASKS,
    ),
    lookups.GetPreviousTI: Route(
        "GET", "/task-instances/previous/{dag_id}/{task_id}", lookups.PreviousTIResult, "task_instance",
        query=("map_index", "logical_date", "state"), rule=_TASKS, needs=_ALL_TASKS,
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
        body=("logical_date", "run_after", "conf", "reset_dag_run", "partition_key", "note"),
        rule=access.TRIGGERS, governed="dag_id", changes=True,
    ),
    # Assets
    lookups.GetAssetByName: Route(
        "GET", "/assets/by-name", lookups.AssetResult, query=("name",), absent=_NO_ASSET, detail=("name",),
        rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetByUri: Route(
        "GET", "/assets/by-uri", lookups.AssetResult, query=("uri",), absent=_NO_ASSET, detail=("uri",),
        rule=_ASSETS, needs=_BY_ASSET,
    ),
    lookups.GetAssetsByAlias: Route(
        "GET", "/assets/by-alias", lookups.AssetsByAliasResult, "assets", query=("alias_name",),
        rule=_ASSETS, needs=_BY_ASSET
    ),
    lookups.GetAssetEventByAsset: Route(
        "GET", "/asset-events/by-asset", lookups.AssetEventsResult, query=("name", "uri", *_EVENTS),
        rule=_ASSETS, needs=_BY_ASSET
    ),
    lookups.GetAssetEventByAssetAlias: Route(
        "GET", "/asset-events/by-asset-alias", lookups.AssetEventsResult, query=("alias_name", *_EVENTS),
        rule=_ASSETS, needs=_BY_ASSET,
    ),
    # State stores
    stores.GetTaskStateStore: Route(
        "GET", f"{_STORE}/{{key}}", stores.TaskStateStoreResult, absent=_NO_TASK_KEY, detail=("key",), free=_OWN
    ),
    stores.SetTaskStateStore: Route(
        "PUT", f"{_STORE}/{{key}}", _OK, body=("value", "expires_at"), free=_OWN, changes=True
    ),
    stores.DeleteTaskStateStore: Route("DELETE", f"{_STORE}/{{key}}", _OK, free=_OWN, changes=True),
    stores.ClearTaskStateStore: Route("DELETE", _STORE, _OK, free=_OWN, changes=True),
    stores.GetAssetStateStoreByName: Route(
        "GET", f"{_BY_NAME}/value", stores.AssetStateStoreResult, query=("name", "key"), absent=_NO_ASSET_KEY,
        detail=("key",), rule=_KEPT, governed="name",
    ),
    stores.GetAssetStateStoreByUri: Route(
        "GET", f"{_BY_URI}/value", stores.AssetStateStoreResult, query=("uri", "key"), absent=_NO_ASSET_KEY,
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

#: The names of fields in a request, if they differ from those in the message.
_QUERY_NAMES = {(lookups.GetAssetEventByAssetAlias, "alias_name"): "name"}
_BODY_NAMES = {(changes.PutVariable, "value"): "val"}
#: Messages whose body leaves out fields at their default: an older server refuses fields that it does not know.
_SPARSE = (changes.TriggerDagRun,)


class _LargeXCom(msgspec.Struct):
    key: str
    value: msgspec.Raw


_large_xcom = msgspec.json.Decoder(_LargeXCom)


class Request(NamedTuple):
    """A request of the API, for ``calls.Calls``."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes | bytearray | None


def request(ask: Message, ids: Ids) -> Request:
    """
    Returns the request for a message. Raises NotAllowed for another task instance's id and for invalid ids. Raises
    ValueError for other invalid parts of the address, and NotFound for a key that the API has no route to.
    """
    route, kind = ROUTES[type(ask)], type(ask)
    naming.check(ask)
    if "ti_id" in kind.__struct_fields__ and kind is not lookups.GetPrevSuccessfulDagRun and ask.ti_id != ids["ti_id"]:
        raise NotAllowed("foreign ids", f"{kind.__name__} for task instance {ask.ti_id}; this is {ids['ti_id']}")
    if kind is lookups.GetAssetEventByAsset and not (ask.name or ask.uri):
        raise ValueError("GetAssetEventByAsset names no asset: it needs a name or a uri")
    _reachable(route, ask)
    values = {name: segment(str(getattr(ask, name))) for name in _placeholders(route.path) if name != "ti_id"}
    path = route.path.format(ti_id=segment(ids["ti_id"]), **values) if "{" in route.path else route.path
    query = [pair for name in route.query for pair in _query(kind, name, getattr(ask, name))]
    return Request(route.method, path, query, _body(route, ask))


def reply(ask: Message, answer: bytes) -> Any:
    """
    Returns the body of the frame that answers a message, from the body of the server's answer; None for an empty one.
    """
    route = ROUTES[type(ask)]
    if route.reply is None:
        return None
    if route.reply is _OK:
        return messages.OKResponse(ok=True)
    name = route.reply.__name__
    if route.reply is messages.XComResult and len(answer) > bulk.LARGE_BYTES:
        large = _large_xcom.decode(answer)
        return {"key": large.key, "value": bulk.msgpack_of(large.value), "type": name}
    if len(answer) > bulk.LARGE_BYTES and weight.of_json(memoryview(answer)) > weight.MOST_ANSWER:
        raise weight.too_large(f"what the server answered to {type(ask).__name__}")
    if not route.field:
        return _checked(route.reply, msgspec.json.decode(answer, type=dict[str, Any]) | {"type": name})
    if route.reply is lookups.AssetsByAliasResult:
        assets = msgspec.json.decode(answer, type=list[dict[str, Any]])
        body = {route.field: [asset | {"type": lookups.AssetResult.__name__} for asset in assets], "type": name}
    else:
        body = {route.field: msgspec.json.decode(answer), "type": name}
    return _checked(route.reply, body)


def _checked(kind: type[Any], body: dict[str, Any]) -> dict[str, Any]:
    """
    Checks that the body is of this type and returns it as the server wrote it, since a newer server may add fields.
    Raises msgspec.ValidationError if it is not: then another route has answered.
    """
    msgspec.convert(body, kind)
    return body


def absent(ask: Message) -> messages.ErrorResponse | None:
    """Returns the body that answers a 404; None if a 404 of this message is an error like others."""
    route = ROUTES[type(ask)]
    if route.absent is None:
        return None
    return messages.ErrorResponse(error=route.absent, detail={name: getattr(ask, name) for name in route.detail})


def missing_grant(ask: Message, ids: Ids, allowed: Access) -> access.Missing | None:
    """Returns the grant that a message needs and this launch does not have."""
    route = ROUTES[type(ask)]
    if not route.rule:
        return None
    if route.needs is not None:
        return governing.missing(allowed, route.rule, route.needs(ids, ask))
    return access.missing(allowed, route.rule, getattr(ask, route.governed))


def _reachable(route: Route, ask: Message) -> None:
    """Raises NotFound for a key whose path is another route, or is not a route."""
    field, pattern = route.reserved
    key = getattr(ask, field) if field else ""
    conn_id = ask.conn_id if isinstance(ask, messages.GetConnection) else ""
    if (key and re.fullmatch(pattern, key, re.DOTALL)) or "/" in conn_id:
        text = f"the API has no route to what is called {(key or conn_id)[:250]!r}"
        raise NotFound(404, {"reason": "not_found", "message": text})


def _placeholders(path: str) -> list[str]:
    return [piece.partition("}")[0] for piece in path.split("{")[1:]]


def _query(kind: type[Any], name: str, value: Any) -> list[tuple[str, str]]:
    sent = _QUERY_NAMES.get((kind, name), name)
    if kind is lookups.GetAssetEventByAsset and name in ("name", "uri"):
        # The server requires both keys, even if one is not known.
        return [(sent, value or "")]
    unset = value is False and name != "ascending"
    if value is None or unset or (name in ("map_index", "mapped_length") and value < 0):
        return []
    return [(sent, _text(item)) for item in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _body(route: Route, ask: Message) -> bytes | bytearray | None:
    if route.whole:
        value = getattr(ask, route.whole)
        return bulk.json_of(value) if isinstance(value, msgspec.Raw) else as_json(value)
    if not route.body:
        return None
    kind = type(ask)
    sent = {_BODY_NAMES.get((kind, name), name): getattr(ask, name) for name in route.body}
    if kind in _SPARSE:
        defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
        sent = {name: value for name, value in sent.items() if value != defaults[name] and value != {}}
    return as_json(sent)
