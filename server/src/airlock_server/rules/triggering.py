"""
Decides whether a task may make a DAG run: the DAG, what is asked for and what exists in; a refusal or None out. Pure.

The order of the checks and the reasons are those of Airflow 3.3.2.
"""

from datetime import datetime
from typing import Any

import msgspec

from airlock_wire import ids

#: The type of a run that a task makes.
RUN_TYPE = "operator_triggered"

MAX_PARTITION_KEY_CHARS = 250


class DagFacts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is known of a DAG beside its name. Every field has the value that a DAG has before its file was read.

    ``allowed_run_types`` None: all. ``task_groups`` has the task ids of each group; None: not known.
    """

    is_paused: bool = False
    bundle_version: str | None = None
    relative_fileloc: str | None = None
    owners: str | None = None
    tags: list[str] = []
    next_dagrun: datetime | None = None
    has_import_errors: bool = False
    allowed_run_types: list[str] | None = None
    is_partitioned: bool = False
    task_groups: dict[str, list[str]] | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The DAG run that a task asks for."""

    dag_id: str
    run_id: str
    logical_date: datetime | None = None
    run_after: datetime | None = None
    conf: dict[str, Any] = {}
    partition_key: str | None = None
    note: str | None = None


class Existing(msgspec.Struct, frozen=True):
    """Whether the DAG has a run of that id, and the id of its run of that logical date."""

    run: bool = False
    run_of_date: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A status, a reason for programs and a message for people."""

    status: int
    reason: str
    message: str


def refusal(facts: DagFacts, wish: Wish, existing: Existing) -> Refusal | None:
    """Returns why the run is not made; None if it may be made."""
    dag_id = wish.dag_id
    if (broken := import_refusal(facts, dag_id)) is not None:
        return broken
    if facts.allowed_run_types is not None and RUN_TYPE not in facts.allowed_run_types:
        return Refusal(400, "denied_run_type", f"Dag with dag_id '{dag_id}' does not allow operator-triggered runs")
    if existing.run:
        message = f"A run already exists for Dag '{dag_id}' with run_id '{wish.run_id}'"
        return Refusal(409, "already_exists", message)
    if wrong := ids.run_problem(wish.run_id):
        return Refusal(400, "value_error", f"run_id {wish.run_id!a} {wrong}")
    if (wrong_key := _partition_refusal(facts, wish)) is not None:
        return wrong_key
    if existing.run_of_date is not None:
        message = f"Dag '{dag_id}' has a run of this logical date already, with run_id '{existing.run_of_date}'"
        return Refusal(409, "already_exists", message)
    return None


def import_refusal(facts: DagFacts, dag_id: str) -> Refusal | None:
    """Returns the refusal for a DAG whose file cannot be imported; None for one whose file can."""
    if not facts.has_import_errors:
        return None
    return Refusal(400, "import_errors", f"Dag with dag_id '{dag_id}' has import errors and cannot be triggered")


def _partition_refusal(facts: DagFacts, wish: Wish) -> Refusal | None:
    key = wish.partition_key
    if key is None:
        return None
    if not facts.is_partitioned:
        message = f"Dag '{wish.dag_id}' is not a partitioned Dag and does not accept a partition_key."
        return Refusal(400, "not_partitioned", message)
    if not key.strip():
        return Refusal(400, "invalid_partition_key", "partition_key must not be empty or whitespace-only.")
    if len(key) > MAX_PARTITION_KEY_CHARS:
        message = f"partition_key must be at most {MAX_PARTITION_KEY_CHARS} characters; got {len(key)}."
        return Refusal(400, "invalid_partition_key", message)
    return None
