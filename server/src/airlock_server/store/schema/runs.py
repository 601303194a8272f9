"""The tables of DAG runs and their task instances, and of what those keep and ask."""

from typing import Any

import sqlalchemy as sa

from airlock_server.store.engine.types import UtcDateTime
from airlock_server.store.schema.columns import MAX_KEY_CHARS, RUN_KEY, key_columns, metadata

#: ``run_id`` is the run's name of ``run_keys``: a namespace's own begins with the namespace, here and in every table.
dag_run = sa.Table(
    "dag_run",
    metadata,
    sa.Column("dag_id", sa.String(250), sa.ForeignKey("dag.dag_id"), primary_key=True),
    sa.Column("run_id", RUN_KEY, primary_key=True),
    sa.Column("run_type", sa.String(50), nullable=False),
    sa.Column("state", sa.String(50), nullable=False),
    sa.Column("logical_date", UtcDateTime),
    sa.Column("data_interval_start", UtcDateTime),
    sa.Column("data_interval_end", UtcDateTime),
    sa.Column("run_after", UtcDateTime, nullable=False),
    sa.Column("start_date", UtcDateTime),
    sa.Column("end_date", UtcDateTime),
    sa.Column("conf", sa.JSON(none_as_null=True)),
    sa.Column("clear_number", sa.Integer, nullable=False, server_default="0"),
    sa.Column("triggering_user_name", sa.String(250)),
    sa.Column("note", sa.Text),
    sa.Column("partition_key", sa.String(250)),
    sa.Column("partition_date", UtcDateTime),
    #: The namespace whose TaskRuns made it; null for the scheduler's own.
    sa.Column("namespace", sa.String(63)),
)


def _task_instance_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("run_id", RUN_KEY, nullable=False),
        sa.Column("task_id", sa.String(250), nullable=False),
        sa.Column("map_index", sa.Integer, nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("max_tries", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        # Why it is in this state, in words; null if nobody has said.
        sa.Column("reason", sa.Text),
        sa.Column("dag_version_id", sa.String(36), nullable=False),
        # The TaskRun that runs it; null for this machine's own launches.
        sa.Column("taskrun_uid", sa.String(36)),
        # The launch that runs it.
        sa.Column("hostname", sa.Text),
        sa.Column("unixname", sa.Text),
        sa.Column("pid", sa.BigInteger),
        sa.Column("queued_at", UtcDateTime),
        sa.Column("start_date", UtcDateTime),
        sa.Column("end_date", UtcDateTime),
        sa.Column("last_heartbeat_at", UtcDateTime),
        # What the last report carried beyond its state: outlets, a trigger, a reschedule date.
        sa.Column("report", sa.JSON(none_as_null=True)),
        # How a deferred or parked task instance goes on.
        sa.Column("next_method", sa.Text),
        sa.Column("next_kwargs", sa.JSON(none_as_null=True)),
        sa.Column("trigger_timeout_at", UtcDateTime),
        sa.Column("reschedule_date", UtcDateTime),
        sa.Column("reschedule_count", sa.Integer, nullable=False, server_default="0"),
        # When the try first started that was put aside by a reschedule; null if it never was.
        sa.Column("reschedule_start_date", UtcDateTime),
        # What the last try asked for about the next one.
        sa.Column("retry_delay_seconds", sa.Float),
        sa.Column("retry_reason", sa.String(500)),
        sa.Column("rendered_map_index", sa.Text),
    ]


#: The current try of each task instance. A new try has a new id.
task_instance = sa.Table(
    "task_instance",
    metadata,
    *_task_instance_columns(),
    sa.UniqueConstraint("dag_id", "run_id", "task_id", "map_index"),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
    sa.Index(None, "state"),
)

#: Ended tries under the ids they had.
task_instance_history = sa.Table(
    "task_instance_history",
    metadata,
    *_task_instance_columns(),
    sa.Column("archived_at", UtcDateTime, nullable=False),
    sa.Index(None, "dag_id", "run_id", "task_id", "map_index"),
)

#: One row for every accepted move of a state, written with the move: it proves that the move happened once.
#: Append-only.
state_write = sa.Table(
    "state_write",
    metadata,
    # SQLite makes ids for INTEGER alone, which has 64 bits there.
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("ti_id", sa.String(36), nullable=False, index=True),
    sa.Column("from_state", sa.String(20)),
    sa.Column("to_state", sa.String(20), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    # Who moved it: "task" over the Execution API, or "owner".
    sa.Column("by", sa.String(20), nullable=False),
    sqlite_autoincrement=True,
)


#: ``value`` is JSON text in UTF-8 exactly as it came, so that it goes out again without being parsed.
xcom = sa.Table(
    "xcom",
    metadata,
    *key_columns(),
    sa.Column("key", sa.String(MAX_KEY_CHARS), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("dag_result", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("mapped_length", sa.Integer),
    sa.Column("written_at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)

rendered_fields = sa.Table(
    "rendered_fields",
    metadata,
    *key_columns(),
    sa.Column("fields", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)

#: What tasks keep for their next tries and runs to come (AIP-103): ``value`` is JSON text as it came. It belongs to the
#: task instance and not to one of its tries, so a retry finds it.
task_state = sa.Table(
    "task_state",
    metadata,
    *key_columns(),
    sa.Column("key", sa.String(MAX_KEY_CHARS), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # From then on nobody finds it; null: it stays.
    sa.Column("expires_at", UtcDateTime, index=True),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)

#: What a task asks a person, and the answer. ``request`` and ``answer`` are JSON objects; a question that is asked anew
#: has no answer any more.
hitl_detail = sa.Table(
    "hitl_detail",
    metadata,
    sa.Column("ti_id", sa.String(36), primary_key=True),
    sa.Column("request", sa.JSON(none_as_null=True), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("answer", sa.JSON(none_as_null=True)),
    sa.Column("answered_at", UtcDateTime),
)

#: One row for every pod that was given a token: its task instance, and until when it runs it. ``settled_at`` is
#: when its task instance reached a state that ends the launch, ``ended_at`` when the pod ceased to be the current one.
attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("pod_uid", sa.String(36), primary_key=True),
    sa.Column("pod_name", sa.String(253), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("taskrun_name", sa.String(253), nullable=False),
    sa.Column("taskrun_uid", sa.String(36), nullable=False, index=True),
    sa.Column("ti_id", sa.String(36), nullable=False, index=True),
    sa.Column("dag_id", sa.String(250), nullable=False),
    sa.Column("run_id", RUN_KEY, nullable=False),
    sa.Column("task_id", sa.String(250), nullable=False),
    sa.Column("map_index", sa.Integer, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("dag_version_id", sa.String(36), nullable=False),
    sa.Column("exchanged_at", UtcDateTime, nullable=False),
    sa.Column("settled_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime, index=True),
    sa.Column("ended_because", sa.Text),
)
