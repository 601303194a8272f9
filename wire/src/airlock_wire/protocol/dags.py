"""
The serialized form of a DAG: the result of parsing a file, which is read without user code.

It travels inside ``DagFileParsingResult`` as a plain map under ``data``, as Airflow's own form does. So the message is
valid by Airflow's schema, and ``format`` tells the two forms apart.

User code wrote it, so a reader checks every field first: ``disclose`` does.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from airlock_wire import ids, options

if TYPE_CHECKING:
    from airlock_wire.assets import DeclaredAsset

FORMAT = "airlock/1"

_SHOWN_CHARS = 80


class SerializedTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task, as far as launching it needs. ``line`` is where its function is defined, 0 where unknown."""

    task_id: str
    retries: int = 0
    retry_delay_seconds: float = 300.0
    execution_timeout_seconds: float | None = None
    mapped: bool = False
    line: int = 0
    #: Declarations of assets (``airlock_wire.assets``), as plain maps: a launch without assets need not import those.
    inlets: list[dict[str, Any]] = []
    outlets: list[dict[str, Any]] = []


class SerializedDag(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG and its tasks, in the order the file made them."""

    dag_id: str
    tasks: list[SerializedTask]
    format: str = FORMAT
    tags: list[str] = []
    params: dict[str, Any] = {}

    def task(self, task_id: str) -> SerializedTask | None:
        """Returns the task of this id, if the DAG has one."""
        return next((task for task in self.tasks if task.task_id == task_id), None)


class LazySerializedDag(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of Airflow's message around a serialized DAG."""

    data: dict[str, Any]


def enclose(dag: SerializedDag) -> LazySerializedDag:
    """Puts a DAG into the envelope in which it travels."""
    return LazySerializedDag(data=msgspec.to_builtins(dag))


def disclose(envelope: LazySerializedDag) -> SerializedDag:
    """
    Returns the DAG inside an envelope. Raises msgspec.ValidationError for a DAG that is not ours or not whole, or that
    has a value that the SDK would have refused. The error names the field.
    """
    dag = msgspec.convert(envelope.data, SerializedDag)
    if dag.format != FORMAT:
        raise msgspec.ValidationError(f"serialized DAG of format {dag.format!r}, expected {FORMAT!r}")
    if wrong := ids.problem(dag.dag_id):
        raise msgspec.ValidationError(f"dag_id {_shown(dag.dag_id)} {wrong}")
    seen_ids: set[str] = set()
    for task in dag.tasks:
        if wrong := _task_problem(task):
            raise msgspec.ValidationError(f"DAG {dag.dag_id!r}: task_id {_shown(task.task_id)}{wrong}")
        if task.task_id in seen_ids:
            raise msgspec.ValidationError(f"DAG {dag.dag_id!r}: task_id {task.task_id!r} is there twice")
        seen_ids.add(task.task_id)
    return dag


def _task_problem(task: SerializedTask) -> str:
    """Returns what is wrong with a task, to follow its id; empty if nothing is wrong."""
    if wrong := ids.problem(task.task_id):
        return f" {wrong}"
    limits = options.TaskOptions(
        retries=task.retries,
        retry_delay_seconds=task.retry_delay_seconds,
        execution_timeout_seconds=task.execution_timeout_seconds,
    )
    wrong = options.problem(limits) or _assets_problem(task)
    return f": {wrong}" if wrong else ""


def _assets_problem(task: SerializedTask) -> str:
    from airlock_wire import assets  # deferred: for a reader, and for a task with assets

    for field in ("inlets", "outlets"):
        for each in declared(getattr(task, field)):
            if wrong := assets.problem(each):
                return f"{field}: {wrong}"
    return ""


def declared(assets: list[dict[str, Any]]) -> "list[DeclaredAsset]":
    """Returns a task's inlets or outlets; raises msgspec.ValidationError for a map that declares no asset."""
    from airlock_wire.assets import DeclaredAsset

    return msgspec.convert(assets, list[DeclaredAsset])


def _shown(text: str) -> str:
    """Returns a refused id for a message: escaped, and cut where it is long."""
    return ascii(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…")
