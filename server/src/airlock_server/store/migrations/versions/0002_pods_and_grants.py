"""Who owns a DAG, which pod stands for which task instance, and which namespace may read what."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Alembic renames and widens columns of SQLite by copying the table; a new column and a copy of the values is less.
    op.add_column('dag', sa.Column('owner', sa.String(length=300), nullable=False, server_default=''))
    op.execute("UPDATE dag SET owner = 'bundle:' || bundle_name")
    op.drop_column('dag', 'bundle_name')
    op.add_column('dag_run', sa.Column('namespace', sa.String(length=63), nullable=True))
    op.add_column('task_instance', sa.Column('taskrun_uid', sa.String(length=36), nullable=True))
    op.add_column('task_instance_history', sa.Column('taskrun_uid', sa.String(length=36), nullable=True))
    op.create_table('attempt',
    sa.Column('pod_uid', sa.String(length=36), nullable=False),
    sa.Column('pod_name', sa.String(length=253), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('namespace', sa.String(length=63), nullable=False),
    sa.Column('taskrun_name', sa.String(length=253), nullable=False),
    sa.Column('taskrun_uid', sa.String(length=36), nullable=False),
    sa.Column('ti_id', sa.String(length=36), nullable=False),
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('try_number', sa.Integer(), nullable=False),
    sa.Column('dag_version_id', sa.String(length=36), nullable=False),
    sa.Column('exchanged_at', UtcDateTime(), nullable=False),
    sa.Column('settled_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('ended_because', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('pod_uid', name=op.f('pk_attempt'))
    )
    op.create_index(op.f('ix_attempt_ended_at'), 'attempt', ['ended_at'], unique=False)
    op.create_index(op.f('ix_attempt_taskrun_uid'), 'attempt', ['taskrun_uid'], unique=False)
    op.create_index(op.f('ix_attempt_ti_id'), 'attempt', ['ti_id'], unique=False)
    op.create_table('access_grant',
    sa.Column('namespace', sa.String(length=63), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('pattern', sa.String(length=250), nullable=False),
    sa.Column('granted_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('namespace', 'kind', 'pattern', name=op.f('pk_access_grant'))
    )


def downgrade() -> None:
    op.drop_table('access_grant')
    op.drop_index(op.f('ix_attempt_ti_id'), table_name='attempt')
    op.drop_index(op.f('ix_attempt_taskrun_uid'), table_name='attempt')
    op.drop_index(op.f('ix_attempt_ended_at'), table_name='attempt')
    op.drop_table('attempt')
    op.drop_column('task_instance_history', 'taskrun_uid')
    op.drop_column('task_instance', 'taskrun_uid')
    op.drop_column('dag_run', 'namespace')
    op.add_column('dag', sa.Column('bundle_name', sa.String(length=250), nullable=False, server_default=''))
    place = 'strpos' if op.get_bind().dialect.name == 'postgresql' else 'instr'
    op.execute(f"UPDATE dag SET bundle_name = substr(owner, {place}(owner, ':') + 1)")
    op.drop_column('dag', 'owner')
