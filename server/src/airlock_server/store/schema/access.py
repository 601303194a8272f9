"""The tables of what tasks may read: grants, variables and connections."""

import sqlalchemy as sa

from airlock_server.store.engine.types import UtcDateTime
from airlock_server.store.schema.columns import MAX_VARIABLE_CHARS, metadata

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
