"""
The serialized form of a DAG: what parsing a file leaves behind once no user code is at hand.

It travels inside ``DagFileParsingResult`` as a plain map under ``data``, which is how Airflow's message carries
its own form, so that the message validates against Airflow's schema and the two versions are told apart by
``format``.
"""

from typing import Any

import msgspec

FORMAT = "airlock/1"


class SerializedTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task, as far as launching it needs. ``line`` is where its function is defined, 0 where unknown."""

    task_id: str
    retries: int = 0
    retry_delay_seconds: float = 300.0
    execution_timeout_seconds: float | None = None
    mapped: bool = False
    line: int = 0


class SerializedDag(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG and its tasks, in the order the file made them."""

    dag_id: str
    tasks: list[SerializedTask]
    format: str = FORMAT
    tags: list[str] = []
    params: dict[str, Any] = {}

    def task(self, task_id: str) -> SerializedTask | None:
        """The task of this id, if the DAG has one."""
        return next((task for task in self.tasks if task.task_id == task_id), None)


class LazySerializedDag(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of Airflow's message around a serialized DAG."""

    data: dict[str, Any]


def enclose(dag: SerializedDag) -> LazySerializedDag:
    """A DAG put into the envelope in which it travels."""
    return LazySerializedDag(data=msgspec.to_builtins(dag))


def disclose(envelope: LazySerializedDag) -> SerializedDag:
    """The DAG inside an envelope; msgspec.ValidationError when it is not ours or not whole."""
    dag = msgspec.convert(envelope.data, SerializedDag)
    if dag.format != FORMAT:
        raise msgspec.ValidationError(f"serialized DAG of format {dag.format!r}, expected {FORMAT!r}")
    return dag
