"""What tasks keep and what they ask people; when a try first started that was rescheduled."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TRIES = ('task_instance', 'task_instance_history')


def upgrade() -> None:
    for table in TRIES:
        op.add_column(table, sa.Column('reschedule_start_date', UtcDateTime(), nullable=True))
    op.create_table('task_state',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=512), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['dag_id', 'run_id'], ['dag_run.dag_id', 'dag_run.run_id'],
                            name=op.f('fk_task_state_dag_run')),
    sa.PrimaryKeyConstraint('dag_id', 'run_id', 'task_id', 'map_index', 'key', name=op.f('pk_task_state'))
    )
    op.create_index(op.f('ix_task_state_expires_at'), 'task_state', ['expires_at'], unique=False)
    op.create_table('hitl_detail',
    sa.Column('ti_id', sa.String(length=36), nullable=False),
    sa.Column('request', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('answer', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('ti_id', name=op.f('pk_hitl_detail'))
    )


def downgrade() -> None:
    op.drop_table('hitl_detail')
    op.drop_index(op.f('ix_task_state_expires_at'), table_name='task_state')
    op.drop_table('task_state')
    for table in TRIES:
        op.drop_column(table, 'reschedule_start_date')
