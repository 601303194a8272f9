"""
One value of every message with no field left at its default, and what follows from it.

``full`` is written by hand; ``least`` (required fields only) and ``nulls`` (None wherever a field takes it) are made
from the types, so that a new field is in all three as soon as it is in ``full``.
"""

import types
import typing
from datetime import UTC, datetime

import msgspec
from contract.wire import samples_beyond

from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask
from airlock_wire.protocol import messages as m
from airlock_wire.protocol import whole
from airlock_wire.protocol.dags import enclose
from airlock_wire.protocol.messages import LazySerializedDag

#: Messages that Airflow does not have, so that nothing of Airflow's can be asked about them.
OURS = frozenset({"ClearAllTaskStateStore"})
FROM_RUNNER = {
    kind.__name__: kind
    for kind in (*typing.get_args(whole.FromTask), m.DagFileParsingResult)
    if kind.__name__ not in OURS
}
TO_RUNNER = {kind.__name__: kind for kind in (*typing.get_args(whole.ToTask), m.DagFileParseRequest)}
MESSAGES = FROM_RUNNER | TO_RUNNER

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
XCOM = {"dag_id": "etl.näch", "run_id": "manual__2026-01-02T03:04:05+00:00", "task_id": "load.part"}
JSON = {"text": "ü\n\0", "numbers": [0, -1, 1.5, 2**53], "none": None, "deep": [{"list": [[], {}]}], "yes": True}

DAG_RUN = m.DagRun(
    dag_id="etl", run_id="manual__1", logical_date=AT, data_interval_start=AT, data_interval_end=AT, run_after=AT,
    start_date=AT, end_date=AT, run_type="scheduled", state="running", partition_key="2026-01", clear_number=2,
    conf={"day": "2026-01-02"}, triggering_user_name="ada", partition_date=AT, note="by hand", team_name="etl",
    consumed_asset_events=[
        {
            "asset": {"name": "orders", "uri": "s3://orders", "extra": {}},
            "extra": {"rows": 3},
            "source_task_id": "make",
            "source_dag_id": "source",
            "source_run_id": "manual__0",
            "source_map_index": -1,
            "source_aliases": [{"name": "all"}],
            "timestamp": "2026-01-02T03:04:05Z",
            "partition_key": "2026-01",
        }
    ],
)  # fmt: skip

RUN_CONTEXT = m.TIRunContext(
    dag_run=DAG_RUN, max_tries=3, task_reschedule_count=1, next_method="resume", next_kwargs={"event": {"ok": True}},
    xcom_keys_to_clear=["return_value"], should_retry=True, start_date=AT,
    variables=[{"key": "mark", "value": "*"}],
    connections=[
        {"conn_id": "db", "conn_type": "postgres", "host": "h", "schema": "s", "login": "l", "password": "p",
         "port": 5432, "extra": "{}"}
    ],
)  # fmt: skip

TASK_INSTANCE = m.TaskInstance(
    id="0198a5c2-3a4b-7c5d-8e6f-112233445566", dag_version_id="0198a5c2-3a4b-7c5d-8e6f-665544332211",
    task_id="load", dag_id="etl", run_id="manual__1", try_number=2, map_index=7, hostname="pod-1", queue="big",
    context_carrier={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
)  # fmt: skip

CALLBACK = {
    "type": "TaskCallbackRequest",
    "filepath": "etl.py",
    "bundle_name": "local",
    "bundle_version": None,
    "ti": msgspec.to_builtins(TASK_INSTANCE),
    "msg": "killed",
    "task_callback_type": "failed",
    "context_from_server": None,
}

FULL = {
    message.__class__.__name__: message
    for message in (
        m.StartupDetails(
            ti=TASK_INSTANCE,
            dag_rel_path="dags/etl.py",
            bundle_info=m.BundleInfo(name="local", version="abc123"),
            start_date=AT,
            ti_context=msgspec.to_builtins(RUN_CONTEXT),
            sentry_integration="my.sentry.configure",
        ),
        m.DagFileParseRequest(
            file="/dags/etl.py", bundle_path="/dags", bundle_name="local", callback_requests=[CALLBACK]
        ),
        m.SucceedTask(
            end_date=AT,
            task_outlets=[{"name": "orders", "uri": "s3://orders", "type": "Asset"}],
            outlet_events=[{"dest_asset_key": {"name": "orders", "uri": "s3://orders"}, "extra": {"rows": 3}}],
            rendered_map_index="first",
        ),
        m.RetryTask(end_date=AT, rendered_map_index="first", retry_delay_seconds=1.5, retry_reason="not this time"),
        m.TaskState(state="skipped", end_date=AT, rendered_map_index="first"),
        m.GetVariable(key="a/b ü"),
        m.GetConnection(conn_id="db"),
        m.GetXCom(key="return_value", map_index=3, include_prior_dates=True, **XCOM),
        m.SetXCom(key="return_value", value=JSON, map_index=3, dag_result=True, mapped_length=4, **XCOM),
        m.SetRenderedFields(rendered_fields={"bash_command": "echo", "op_args": [1, {"a": None}]}),
        m.MaskSecret(value={"inner": ["s3cret"]}, name="token"),
        m.DagFileParsingResult(
            fileloc="/dags/etl.py",
            serialized_dags=[enclose(SerializedDag(dag_id="etl", tasks=[SerializedTask(task_id="load", retries=2)]))],
            warnings=[{"warning": "old call"}],
            import_errors={"bad.py": "bad.py:1: SyntaxError"},
        ),
        m.VariableResult(key="mark", value="*"),
        m.ConnectionResult(
            conn_id="db", conn_type="postgres", host="h", schema="s", login="l", password="p", port=5432, extra="{}"
        ),
        m.XComResult(key="return_value", value=JSON),
        m.OKResponse(ok=True),
        m.ErrorResponse(error=m.ErrorType.PERMISSION_DENIED, detail={"status_code": 403, "message": "no grant"}),
        *samples_beyond.ASKED,
        *samples_beyond.TOLD,
    )
}


def _takes_none(kind: typing.Any) -> bool:
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return kind is typing.Any or (union and type(None) in typing.get_args(kind))


def least(full: msgspec.Struct) -> msgspec.Struct:
    """The same message with nothing but what it must have."""
    fields = [field for field in msgspec.structs.fields(full) if field.required]
    return type(full)(**{field.name: getattr(full, field.name) for field in fields})


def nulls(full: msgspec.Struct) -> msgspec.Struct:
    """The same message with None in every field that takes it, also in the structs that it holds."""
    changes = {}
    for field in msgspec.structs.fields(full):
        value = getattr(full, field.name)
        if _takes_none(field.type):
            changes[field.name] = None
        elif isinstance(value, msgspec.Struct):
            changes[field.name] = nulls(value)
    if isinstance(full, m.StartupDetails):
        changes["ti_context"] = msgspec.to_builtins(nulls(RUN_CONTEXT))
    return msgspec.structs.replace(full, **changes)


#: (name of the case, message), for parametrize.
CASES = [
    (f"{name}-{variant}", make(message))
    for name, message in FULL.items()
    for variant, make in (("full", lambda message: message), ("least", least), ("nulls", nulls))
]

NESTED = {
    "TaskInstance": m.TaskInstance,
    "BundleInfo": m.BundleInfo,
    "DagRun": m.DagRun,
    "TIRunContext": m.TIRunContext,
    "LazyDeserializedDAG": LazySerializedDag,
}


def comparable(message: msgspec.Struct) -> msgspec.Struct:
    """A message without freedoms of spelling: the run context, a plain map on the wire, with its defaults filled in."""
    if isinstance(message, m.StartupDetails):
        context = msgspec.convert(message.ti_context, m.TIRunContext)
        return msgspec.structs.replace(message, ti_context=msgspec.to_builtins(context))
    return message
