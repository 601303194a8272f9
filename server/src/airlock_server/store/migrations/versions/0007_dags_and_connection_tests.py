"""What is known of a DAG beside its name, and tests of connections that are not stored yet."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FACTS = (
    ('is_paused', sa.Boolean(create_constraint=False), sa.false()),
    ('bundle_version', sa.String(length=250), None),
    ('relative_fileloc', sa.Text(), None),
    ('owners', sa.Text(), None),
    ('tags', sa.JSON(none_as_null=True), None),
    ('next_dagrun', UtcDateTime(), None),
    ('has_import_errors', sa.Boolean(create_constraint=False), sa.false()),
    ('allowed_run_types', sa.JSON(none_as_null=True), None),
    ('is_partitioned', sa.Boolean(create_constraint=False), sa.false()),
    ('task_groups', sa.JSON(none_as_null=True), None),
)


def upgrade() -> None:
    for name, kind, default in FACTS:
        op.add_column('dag', sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_table('connection_test',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('conn_id', sa.String(length=250), nullable=False),
    sa.Column('conn_type', sa.String(length=500), nullable=False),
    sa.Column('host', sa.Text(), nullable=True),
    sa.Column('schema', sa.Text(), nullable=True),
    sa.Column('login', sa.Text(), nullable=True),
    sa.Column('password', sa.LargeBinary(), nullable=True),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('extra', sa.LargeBinary(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('result_message', sa.String(length=2000), nullable=True),
    sa.Column('commit_on_success', sa.Boolean(create_constraint=False), nullable=False),
    sa.Column('made_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_connection_test'))
    )


def downgrade() -> None:
    op.drop_table('connection_test')
    for name, _, _ in reversed(FACTS):
        op.drop_column('dag', name)
