"""
What a sidecar is given at its start: which launch it serves. It holds no credential; credentials travel separately.

The local executor or the operator writes it, the sidecar reads it, and user code never sees it.
"""

import msgspec

from airlock_wire.protocol.callbacks import CallbackRequest
from airlock_wire.protocol.messages import BundleInfo, DagFileParseRequest, TaskInstance
from airlock_wire.protocol.timetables import TimetableRequest
from airlock_wire.protocol.triggers import TriggerRequest

#: The classes that a deferral may name by default: triggers of Airflow's providers, whose paths all fit this pattern.
#: Classes of ``airflow.triggers`` do not: they are for tests, or they call whatever their arguments name.
AIRFLOWS_TRIGGERS = ("airflow.providers.*.triggers.*Trigger",)

#: Triggers that are harmful by design: they call what they are told to, or remove files. A ``*`` does not allow them.
HARMFUL_TRIGGERS = (
    "airflow.triggers.callback.CallbackTrigger",
    "airflow.providers.standard.triggers.file.FileDeleteTrigger",
    "airflow.providers.standard.triggers.file.DirectoryFileDeleteTrigger",
)

#: The connections of a real Airflow's services: its metadata database, which its chart sets for all of them, the API
#: server too. In upper case, as a variable of the environment has it: whatever becomes that is the same connection.
SERVICE_CONNECTIONS = ("AIRFLOW_DB",)


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    What a launch may ask the server for, beyond what its own task instance is and has. Each is a list of ``patterns``;
    None where nothing is narrowed. The server's own policy comes on top.

    ``xcom_reads``, ``xcom_writes`` and ``tasks`` are patterns of ``dag_id/task_id``. A task instance may always use its
    own XComs, and by default it writes no others. Who may read a variable may list its key.
    ``dag_runs`` and ``triggers`` are DAG ids. ``assets``, ``asset_stores`` and ``asset_events`` are names and URIs of
    assets, and names of aliases.

    Two reach further and are always narrowed. ``deferrals`` are paths of the classes that a deferral may name: a real
    Airflow's triggerer imports and calls them beside its keys. ``asset_events`` are the assets that a success may
    claim, which makes other DAGs run.

    ``connections_by_name`` are ids in upper case that neither a ``*`` nor None allows: ``connections`` must have the id
    itself.
    """

    connections: tuple[str, ...] | None = None
    connections_by_name: tuple[str, ...] = ()
    variables: tuple[str, ...] | None = None
    variable_writes: tuple[str, ...] | None = None
    xcom_reads: tuple[str, ...] | None = None
    xcom_writes: tuple[str, ...] | None = ()
    triggers: tuple[str, ...] | None = None
    dag_runs: tuple[str, ...] | None = None
    tasks: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    asset_stores: tuple[str, ...] | None = None
    asset_events: tuple[str, ...] = ()
    deferrals: tuple[str, ...] = AIRFLOWS_TRIGGERS


class Execute(msgspec.Struct, frozen=True, kw_only=True, tag="execute", tag_field="mode", forbid_unknown_fields=True):
    """
    Run one task instance.

    In a pod ``ti.id`` and ``ti.dag_version_id`` are empty: the sidecar gets them when it exchanges the pod's token.
    ``log_path`` is relative to the log store. ``judges`` says that this sidecar reports a crash by itself, as it
    does where Airlock's server owns the task instance; on a real Airflow the executor does. ``access`` narrows what
    the runner may ask for.
    """

    ti: TaskInstance
    dag_rel_path: str
    bundle_info: BundleInfo
    log_path: str
    judges: bool = True
    execution_timeout_seconds: float | None = None
    access: Access = Access()
    sentry_integration: str = ""
    #: Options that are taken from the task itself (``airlock_wire.options``), and the number of the first try.
    undecided: tuple[str, ...] = ()
    first_try: int = 1


class Parse(msgspec.Struct, frozen=True, kw_only=True, tag="parse", tag_field="mode", forbid_unknown_fields=True):
    """
    Import one DAG file and keep what it holds in ``result.json`` of the state folder. With a token it may look up
    variables and connections.
    """

    request: DagFileParseRequest
    log_path: str
    timeout_seconds: float = 30.0


class Trigger(msgspec.Struct, frozen=True, kw_only=True, tag="trigger", tag_field="mode", forbid_unknown_fields=True):
    """
    Run the trigger that a task instance waits for, with the task instance's token and rights. How it ended is kept in
    ``result.json`` of the state folder. ``timeout_seconds`` ends a trigger that does not end by itself in its time.
    """

    request: TriggerRequest
    log_path: str
    timeout_seconds: float | None = None
    access: Access = Access()

    @property
    def ti(self) -> TaskInstance:
        """The task instance that waits."""
        return self.request.startup.ti


class Timetable(
    msgspec.Struct, frozen=True, kw_only=True, tag="timetable", tag_field="mode", forbid_unknown_fields=True
):
    """
    Ask an author's timetable or partition mapper, and keep the answers in ``result.json`` of the state folder. It may
    look up what a parse may.
    """

    request: TimetableRequest
    log_path: str
    timeout_seconds: float = 30.0


class Callback(msgspec.Struct, frozen=True, kw_only=True, tag="callback", tag_field="mode", forbid_unknown_fields=True):
    """
    Call callbacks that no runner of a task calls, and keep what became of them in ``result.json`` of the state folder.
    They have the token and rights of the request's task instance. Without one they may look up what a parse may.
    """

    request: CallbackRequest
    log_path: str
    timeout_seconds: float
    access: Access = Access()

    @property
    def ti(self) -> TaskInstance | None:
        """The task instance whose rights they have."""
        return None if self.request.startup is None else self.request.startup.ti


Workload = Execute | Parse | Trigger | Timetable | Callback


def of_task_instance(work: Workload) -> bool:
    """Tells whether a launch has the token and rights of a task instance."""
    return isinstance(work, Execute | Trigger) or (isinstance(work, Callback) and work.ti is not None)


class TaskInstanceRef(msgspec.Struct, frozen=True, kw_only=True):
    """The task instance that a token was exchanged for, as the server names it."""

    id: str
    dag_id: str
    task_id: str
    run_id: str
    try_number: int
    map_index: int
    dag_version_id: str


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What the server answers to a pod's token: the task's token, and the task instance that it is for."""

    token: str
    task_instance: TaskInstanceRef
