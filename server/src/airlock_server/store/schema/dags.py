"""The tables of DAGs: what is known of each, its versions, and the files that they come from."""

import sqlalchemy as sa

from airlock_server.store.engine.types import UtcDateTime
from airlock_server.store.schema.columns import metadata, number

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
    # What its file's last parse says; null where no DAG processor has parsed it.
    sa.Column("last_parsed_at", UtcDateTime),
    # Its file is gone, fails or does not name it any more: no new runs.
    sa.Column("is_stale", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()),
    sa.Column("display_name", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("schedule_summary", sa.Text),
    sa.Column("next_dagrun_data_interval_start", UtcDateTime),
    sa.Column("next_dagrun_data_interval_end", UtcDateTime),
    sa.Column("next_dagrun_create_after", UtcDateTime),
)

#: A folder of DAG files by its name. It is active while a DAG processor that runs has it among its settings: each such
#: processor renews ``seen_at``.
dag_bundle = sa.Table(
    "dag_bundle",
    metadata,
    sa.Column("name", sa.String(250), primary_key=True),
    sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
    # The version of its files; null for a bundle that has none.
    sa.Column("version", sa.String(250)),
    sa.Column("refreshed_at", UtcDateTime),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)

#: What a DAG was at a time. ``data`` is the serialized DAG (``airlock_wire.dags``) as JSON, without the file's text,
#: which is ``source``. A version with task instances does not change any more.
dag_version = sa.Table(
    "dag_version",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("dag_id", sa.String(250), sa.ForeignKey("dag.dag_id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # ``airlock_wire.dags.version.content_hash``
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("bundle_name", sa.String(250), nullable=False),
    sa.Column("bundle_version", sa.String(250)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("dag_id", "number"),
)

#: Why the last parse of a file failed. The file is relative to its bundle.
import_error = sa.Table(
    "import_error",
    metadata,
    number(),
    sa.Column("bundle_name", sa.String(250), nullable=False),
    sa.Column("relative_fileloc", sa.Text, nullable=False),
    sa.Column("stacktrace", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("bundle_name", "relative_fileloc"),
    sqlite_autoincrement=True,
)

#: What is doubtful about a DAG that works.
dag_warning = sa.Table(
    "dag_warning",
    metadata,
    sa.Column("dag_id", sa.String(250), sa.ForeignKey("dag.dag_id"), primary_key=True),
    sa.Column("kind", sa.String(50), primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
