"""
The tables. ``migrations/`` makes them; a test checks that the two agree.

Ids are text (a uuid with its dashes) and times are UtcDateTime. So PostgreSQL needs no rewrite, and a person at a SQL
prompt can read them.
"""

from typing import Any

import sqlalchemy as sa

from airlock_server.store.engine.types import UtcDateTime

#: The migration that makes these tables; ``migrate`` compares a database with it.
REVISION = "0007"

#: Characters of the key of an XCom and of a kept value, and of a variable.
MAX_KEY_CHARS, MAX_VARIABLE_CHARS = 512, 250

#: A namespace, a slash and a run id: ``run_keys``.
RUN_KEY = sa.String(63 + 1 + 250)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: A dag_id belongs to whoever first claimed it: ``bundle:NAME``, or ``kubectl`` for TaskRuns made by hand. Then each
#: DAG run belongs to a namespace.
dag = sa.Table(
    "dag",
    metadata,
    sa.Column("dag_id", sa.String(250), primary_key=True),
    sa.Column("owner", sa.String(300), nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    # What is known of the DAG once its file was read (``rules.triggering.DagFacts``).
    sa.Column("is_paused", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()),
    sa.Column("bundle_version", sa.String(250)),
    sa.Column("relative_fileloc", sa.Text),
    sa.Column("owners", sa.Text),
    sa.Column("tags", sa.JSON(none_as_null=True)),
    sa.Column("next_dagrun", UtcDateTime),
    sa.Column("has_import_errors", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()),
    sa.Column("allowed_run_types", sa.JSON(none_as_null=True)),
    sa.Column("is_partitioned", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()),
    sa.Column("task_groups", sa.JSON(none_as_null=True)),
)

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


def _key_columns() -> list[sa.Column[Any]]:
    """Makes the columns by which a table's rows belong to a task instance, whichever its try."""
    return [
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("run_id", RUN_KEY, primary_key=True),
        sa.Column("task_id", sa.String(250), primary_key=True),
        sa.Column("map_index", sa.Integer, primary_key=True),
    ]


#: ``value`` is JSON text in UTF-8 exactly as it came, so that it goes out again without being parsed.
xcom = sa.Table(
    "xcom",
    metadata,
    *_key_columns(),
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
    *_key_columns(),
    sa.Column("fields", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)

#: What tasks keep for their next tries and runs to come (AIP-103): ``value`` is JSON text as it came. It belongs to the
#: task instance and not to one of its tries, so a retry finds it.
task_state = sa.Table(
    "task_state",
    metadata,
    *_key_columns(),
    sa.Column("key", sa.String(MAX_KEY_CHARS), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # From then on nobody finds it; null: it stays.
    sa.Column("expires_at", UtcDateTime, index=True),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)


def _number() -> sa.Column[Any]:
    """Makes the column of a number that the database gives out. SQLite gives them to INTEGER alone."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


#: ``digest`` stands for name and URI, which are too long for one index. At most one active asset has a name, and one a
#: URI. ``declared_by`` is the namespace and DAG that named it first.
asset = sa.Table(
    "asset",
    metadata,
    _number(),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(1500), nullable=False),
    sa.Column("uri", sa.String(1500), nullable=False),
    sa.Column("group", sa.String(1500), nullable=False),
    sa.Column("extra", sa.JSON, nullable=False),
    sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("declared_by", sa.String(314), nullable=False),
    sa.Column("declared_at", UtcDateTime, nullable=False),
    sa.Index(
        "uq_asset_active_name", "name", unique=True, sqlite_where=sa.text("active"), postgresql_where=sa.text("active")
    ),
    sa.Index(
        "uq_asset_active_uri", "uri", unique=True, sqlite_where=sa.text("active"), postgresql_where=sa.text("active")
    ),
    sqlite_autoincrement=True,
)

#: Names that tasks give assets to while they run, and which assets each has.
asset_alias = sa.Table(
    "asset_alias",
    metadata,
    _number(),
    sa.Column("name", sa.String(1500), nullable=False, unique=True),
    sa.Column("group", sa.String(1500), nullable=False),
    sqlite_autoincrement=True,
)

asset_of_alias = sa.Table(
    "asset_of_alias",
    metadata,
    sa.Column("alias_id", sa.BigInteger, sa.ForeignKey("asset_alias.id"), primary_key=True),
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True, index=True),
)

#: One row for each time that an asset was written. ``source_`` columns are the task instance that wrote it.
asset_event = sa.Table(
    "asset_event",
    metadata,
    _number(),
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), nullable=False),
    sa.Column("timestamp", UtcDateTime, nullable=False),
    sa.Column("extra", sa.JSON, nullable=False),
    sa.Column("source_dag_id", sa.String(250)),
    sa.Column("source_run_id", RUN_KEY),
    sa.Column("source_task_id", sa.String(250)),
    sa.Column("source_map_index", sa.Integer),
    sa.Column("partition_key", sa.String(250)),
    sa.Index(None, "asset_id", "timestamp"),
    sqlite_autoincrement=True,
)

#: The aliases by which an event came.
alias_of_event = sa.Table(
    "alias_of_event",
    metadata,
    sa.Column("event_id", sa.BigInteger, sa.ForeignKey("asset_event.id"), primary_key=True),
    sa.Column("alias_id", sa.BigInteger, sa.ForeignKey("asset_alias.id"), primary_key=True, index=True),
)

#: What tasks keep for an asset (AIP-103): ``value`` is JSON text as it came. The further columns are the task instance
#: that wrote it last.
asset_state = sa.Table(
    "asset_state",
    metadata,
    sa.Column("asset_id", sa.BigInteger, sa.ForeignKey("asset.id"), primary_key=True),
    sa.Column("key", sa.String(MAX_KEY_CHARS), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("dag_id", sa.String(250), nullable=False),
    sa.Column("run_id", RUN_KEY, nullable=False),
    sa.Column("task_id", sa.String(250), nullable=False),
    sa.Column("map_index", sa.Integer, nullable=False),
)

#: Which assets a task instance may use. ``use`` is inlet, outlet or state; ``type`` is the kind of a declaration, or
#: ``Pattern`` with the pattern in ``name``.
declared_asset = sa.Table(
    "declared_asset",
    metadata,
    *_key_columns(),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("use", sa.String(10), nullable=False),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("name", sa.String(1500), nullable=False),
    sa.Column("uri", sa.String(1500), nullable=False),
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

#: Which namespace's tasks may read which variables and connections, and make runs of which DAGs. ``pattern`` is a name
#: or a glob.
access_grant = sa.Table(
    "access_grant",
    metadata,
    sa.Column("namespace", sa.String(63), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("pattern", sa.String(250), primary_key=True),
    sa.Column("granted_at", UtcDateTime, nullable=False),
)

#: A test of a connection that is not stored yet, whose fields a worker may read once. ``password`` and ``extra`` are
#: encrypted.
connection_test = sa.Table(
    "connection_test",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("conn_id", sa.String(250), nullable=False),
    sa.Column("conn_type", sa.String(500), nullable=False),
    sa.Column("host", sa.Text),
    sa.Column("schema", sa.Text),
    sa.Column("login", sa.Text),
    sa.Column("password", sa.LargeBinary),
    sa.Column("port", sa.Integer),
    sa.Column("extra", sa.LargeBinary),
    sa.Column("description", sa.Text),
    # ``rules.connection_tests.State``
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("result_message", sa.String(2000)),
    # Whether the connection is stored once the test has succeeded.
    sa.Column("commit_on_success", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

#: ``value`` is encrypted.
variable = sa.Table(
    "variable",
    metadata,
    sa.Column("key", sa.String(MAX_VARIABLE_CHARS), primary_key=True),
    sa.Column("value", sa.LargeBinary),
    sa.Column("description", sa.Text),
)

#: ``password`` and ``extra`` are encrypted.
connection = sa.Table(
    "connection",
    metadata,
    sa.Column("conn_id", sa.String(250), primary_key=True),
    sa.Column("conn_type", sa.String(500), nullable=False),
    sa.Column("host", sa.Text),
    sa.Column("schema", sa.Text),
    sa.Column("login", sa.Text),
    sa.Column("password", sa.LargeBinary),
    sa.Column("port", sa.Integer),
    sa.Column("extra", sa.LargeBinary),
    sa.Column("description", sa.Text),
)
