"""The tables of assets: their aliases, events and state, and who may use them."""

import sqlalchemy as sa

from airlock_server.store.engine.types import UtcDateTime
from airlock_server.store.schema.columns import MAX_KEY_CHARS, RUN_KEY, key_columns, metadata, number

#: ``digest`` stands for name and URI, which are too long for one index. At most one active asset has a name, and one a
#: URI. ``declared_by`` is the namespace and DAG that named it first.
asset = sa.Table(
    "asset",
    metadata,
    number(),
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
    number(),
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
    number(),
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
    *key_columns(),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("use", sa.String(10), nullable=False),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("name", sa.String(1500), nullable=False),
    sa.Column("uri", sa.String(1500), nullable=False),
    sa.ForeignKeyConstraint(["dag_id", "run_id"], ["dag_run.dag_id", "dag_run.run_id"]),
)

#: Which assets, aliases and references a parsed DAG names: in its schedule (``task_id`` is empty then), or as inlets
#: and outlets of a task. ``use`` is schedule, inlet or outlet.
dag_asset = sa.Table(
    "dag_asset",
    metadata,
    sa.Column("dag_id", sa.String(250), sa.ForeignKey("dag.dag_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("use", sa.String(10), nullable=False),
    sa.Column("task_id", sa.String(250), nullable=False),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("name", sa.String(1500), nullable=False),
    sa.Column("uri", sa.String(1500), nullable=False),
    sa.Index(None, "name"),
)

#: What writes events of an asset while a DAG that names the asset is there: a trigger's class with its arguments.
asset_watcher = sa.Table(
    "asset_watcher",
    metadata,
    sa.Column("dag_id", sa.String(250), sa.ForeignKey("dag.dag_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("asset_name", sa.String(1500), nullable=False),
    sa.Column("asset_uri", sa.String(1500), nullable=False),
    sa.Column("name", sa.String(1500), nullable=False),
    sa.Column("classpath", sa.Text, nullable=False),
    sa.Column("kwargs", sa.JSON, nullable=False),
)
