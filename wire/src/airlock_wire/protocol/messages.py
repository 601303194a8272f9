"""
The messages inside frames, as tagged structs: the class name is the wire's ``type``.

Our own runner sends the messages of ``FromRunner`` and is answered with those of ``ToRunner``. What only Airflow's
runner sends is in ``endings``, ``lookups``, ``changes`` and ``stores``; ``protocol`` lists all messages. Airflow 3.3's
task-sdk 1.3.2 defines the set, and the contract tests compare these structs with its JSON schema. A field without a
default is always on the wire, so a required field that may be null is ``X | None`` without a default. Unknown keys are
ignored on read, as Airflow's runner ignores them.

CONTRIBUTING.md says how to add a message.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from airlock_wire.options import TaskOptions


class ErrorType(StrEnum):
    """Why a request was refused or failed. The list is closed: Airflow's runner refuses a word it does not know."""

    CONNECTION_NOT_FOUND = "CONNECTION_NOT_FOUND"
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND"
    XCOM_NOT_FOUND = "XCOM_NOT_FOUND"
    ASSET_NOT_FOUND = "ASSET_NOT_FOUND"
    TASK_STORE_NOT_FOUND = "TASK_STORE_NOT_FOUND"
    ASSET_STORE_NOT_FOUND = "ASSET_STORE_NOT_FOUND"
    DAGRUN_ALREADY_EXISTS = "DAGRUN_ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    GENERIC_ERROR = "GENERIC_ERROR"
    API_SERVER_ERROR = "API_SERVER_ERROR"


class Message(msgspec.Struct, tag_field="type", tag=True, frozen=True, kw_only=True):
    """A body of a frame. Its ``type`` on the wire is the class name."""


# --- What a runner is told at its start ---------------------------------------------------------------------


class TaskInstance(msgspec.Struct, frozen=True, kw_only=True):
    """Which task instance this launch runs. ``map_index`` is -1 where the task is not mapped."""

    id: str
    task_id: str
    dag_id: str
    run_id: str
    try_number: int
    dag_version_id: str
    map_index: int = -1
    hostname: str | None = None
    context_carrier: dict[str, Any] | None = None
    queue: str = "default"


class BundleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle the DAG file is in, and the version of it that was queued."""

    name: str
    version: str | None = None


class DagRun(msgspec.Struct, frozen=True, kw_only=True):
    """The DAG run a task instance belongs to. Airflow's runner refuses unknown keys in here, and only in here."""

    dag_id: str
    run_id: str
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    start_date: datetime | None
    end_date: datetime | None
    run_type: str
    state: str
    consumed_asset_events: list[Any]
    partition_key: str | None
    clear_number: int = 0
    conf: dict[str, Any] | None = None
    triggering_user_name: str | None = None
    partition_date: datetime | None = None
    note: str | None = None
    team_name: str | None = None


class TIRunContext(msgspec.Struct, frozen=True, kw_only=True):
    """The server's answer to PATCH /run: what the runner needs and could not know before."""

    dag_run: DagRun
    max_tries: int
    task_reschedule_count: int = 0
    variables: list[Any] = []
    connections: list[Any] = []
    next_method: str | None = None
    next_kwargs: dict[str, Any] | str | None = None
    xcom_keys_to_clear: list[str] = []
    should_retry: bool = False
    start_date: datetime | None = None


class StartupDetails(Message, frozen=True, kw_only=True):
    """
    The one message a runner receives unasked, under id 0.

    ``ti_context`` stays a plain map: the sidecar passes the server's answer through unchanged, and the runner
    converts it to ``TIRunContext``.
    """

    ti: TaskInstance
    dag_rel_path: str
    bundle_info: BundleInfo
    start_date: datetime
    ti_context: dict[str, Any]
    sentry_integration: str
    #: Options that this launch takes from the task itself (``airlock_wire.options``), and the number of the first try.
    #: Airlock's own: Airflow's runner passes over both.
    undecided: list[str] | UnsetType = UNSET
    first_try: int | UnsetType = UNSET
    #: Both sides agreed at their hello that XComs travel as JSON text, in msgpack's binary type. Airlock's own too.
    json_values: bool | UnsetType = UNSET


class DagFileParseRequest(Message, frozen=True, kw_only=True):
    """The same, for a runner in parse mode: import this file and answer with ``DagFileParsingResult``."""

    file: str
    bundle_path: str
    bundle_name: str
    callback_requests: list[Any] = []


# --- What a runner asks ---------------------------------------------------------------------------------------


class SucceedTask(Message, frozen=True, kw_only=True):
    """The task ended well. A terminal message: one a launch."""

    end_date: datetime
    state: Literal["success"] = "success"
    task_outlets: list[dict[str, Any]] | None = None
    outlet_events: list[dict[str, Any]] | None = None
    rendered_map_index: str | None = None


class RetryTask(Message, frozen=True, kw_only=True):
    """The task failed and has tries left. A terminal message."""

    end_date: datetime
    state: Literal["up_for_retry"] = "up_for_retry"
    rendered_map_index: str | None = None
    retry_delay_seconds: float | None = None
    retry_reason: str | None = None


class TaskState(Message, frozen=True, kw_only=True):
    """The task ended in a state that has no message of its own. A terminal message."""

    state: Literal["failed", "skipped", "removed"]
    end_date: datetime | None = None
    rendered_map_index: str | None = None


class GetVariable(Message, frozen=True, kw_only=True):
    """Asks for a variable; VariableResult, or ErrorResponse in the body slot."""

    key: str


class GetConnection(Message, frozen=True, kw_only=True):
    """Asks for a connection; ConnectionResult, or ErrorResponse in the body slot."""

    conn_id: str


class GetXCom(Message, frozen=True, kw_only=True):
    """Asks for an XCom; XComResult, with a null value if the XCom does not exist."""

    key: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None = None
    include_prior_dates: bool = False


class SetXCom(Message, frozen=True, kw_only=True):
    """Stores an XCom of any JSON value; an empty answer. ``value`` is JSON text where both sides agreed on that."""

    key: str
    value: Any
    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None = None
    dag_result: bool = False
    mapped_length: int | None = None


class SetRenderedFields(Message, frozen=True, kw_only=True):
    """
    Stores the task's rendered template fields; an empty answer. ``options`` is Airlock's own: it comes where the
    launch takes options from the task.
    """

    rendered_fields: dict[str, Any]
    options: TaskOptions | UnsetType = UNSET


class MaskSecret(Message, frozen=True, kw_only=True):
    """Adds a value, or every string inside it, to what the sidecar masks in logs; an empty answer."""

    value: Any
    name: str | None = None


class LazySerializedDag(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of Airflow's message around a serialized DAG. ``protocol.dags`` opens it."""

    data: dict[str, Any]


class DagFileParsingResult(Message, frozen=True, kw_only=True):
    """What parsing a file gave. The terminal message of a runner in parse mode. Errors are text by file name."""

    fileloc: str
    serialized_dags: list[LazySerializedDag]
    warnings: list[Any] | None = None
    import_errors: dict[str, str] | None = None


# --- What a runner is answered --------------------------------------------------------------------------------


class VariableResult(Message, frozen=True, kw_only=True):
    """A variable's value, as text."""

    key: str
    value: str | None


class ConnectionResult(Message, frozen=True, kw_only=True):
    """A connection, every key present. ``schema`` is the database's, ``extra`` a JSON text."""

    conn_id: str
    conn_type: str
    host: str | None
    schema: str | None
    login: str | None
    password: str | None
    port: int | None
    extra: str | None


class XComResult(Message, frozen=True, kw_only=True):
    """
    An XCom's value, null if the XCom does not exist. It is JSON text where both sides agreed on that.
    """

    key: str
    value: Any


class TaskStateStoreResult(Message, frozen=True, kw_only=True):
    """A value that a task keeps, for the request of ``stores``."""

    value: Any


class OKResponse(Message, frozen=True, kw_only=True):
    """The request was done; for requests whose answer must not be empty."""

    ok: bool


class ErrorResponse(Message, frozen=True, kw_only=True):
    """The request was not done, and why. In the body slot the caller expects it; in the error slot it is raised."""

    error: ErrorType = ErrorType.GENERIC_ERROR
    detail: dict[str, Any] | None = None


FromRunner: TypeAlias = (
    SucceedTask
    | RetryTask
    | TaskState
    | GetVariable
    | GetConnection
    | GetXCom
    | SetXCom
    | SetRenderedFields
    | MaskSecret
    | DagFileParsingResult
)

ToRunner: TypeAlias = (
    StartupDetails
    | DagFileParseRequest
    | VariableResult
    | ConnectionResult
    | XComResult
    | TaskStateStoreResult
    | OKResponse
    | ErrorResponse
)

#: The messages by which our own runner reports the task's final state.
Terminal: TypeAlias = SucceedTask | RetryTask | TaskState


def to_runner(body: Any) -> Message:
    """Returns the message in an answer's body, a plain map; raises msgspec.ValidationError for other maps."""
    kind = body.get("type") if isinstance(body, dict) else None
    if isinstance(kind, str) and kind not in _COMMON:
        # Answers to what few tasks ask: their types are defined at the first one, so that no start pays for them.
        from airlock_wire.protocol import callbacks, lookups, stores, timetables, triggers

        modules = (lookups, stores, triggers, timetables, callbacks)
        answer = next((each for of in modules if (each := getattr(of, kind, None))), None)
        if isinstance(answer, type) and issubclass(answer, Message):
            message: Message = msgspec.convert(body, answer)
            return message
    common: ToRunner = msgspec.convert(body, ToRunner)
    return common


_COMMON = frozenset(each.__name__ for each in get_args(ToRunner))
