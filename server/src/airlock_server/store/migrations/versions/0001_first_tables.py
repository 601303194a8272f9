"""The first tables."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('connection',
    sa.Column('conn_id', sa.String(length=250), nullable=False),
    sa.Column('conn_type', sa.String(length=500), nullable=False),
    sa.Column('host', sa.Text(), nullable=True),
    sa.Column('schema', sa.Text(), nullable=True),
    sa.Column('login', sa.Text(), nullable=True),
    sa.Column('password', sa.LargeBinary(), nullable=True),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('extra', sa.LargeBinary(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('conn_id', name=op.f('pk_connection'))
    )
    op.create_table('dag',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('bundle_name', sa.String(length=250), nullable=False),
    sa.Column('claimed_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('dag_id', name=op.f('pk_dag'))
    )
    op.create_table('state_write',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ti_id', sa.String(length=36), nullable=False),
    sa.Column('from_state', sa.String(length=20), nullable=True),
    sa.Column('to_state', sa.String(length=20), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=20), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_state_write')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_state_write_ti_id'), 'state_write', ['ti_id'], unique=False)
    op.create_table('task_instance_history',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('try_number', sa.Integer(), nullable=False),
    sa.Column('max_tries', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('dag_version_id', sa.String(length=36), nullable=False),
    sa.Column('hostname', sa.Text(), nullable=True),
    sa.Column('unixname', sa.Text(), nullable=True),
    sa.Column('pid', sa.BigInteger(), nullable=True),
    sa.Column('queued_at', UtcDateTime(), nullable=True),
    sa.Column('start_date', UtcDateTime(), nullable=True),
    sa.Column('end_date', UtcDateTime(), nullable=True),
    sa.Column('last_heartbeat_at', UtcDateTime(), nullable=True),
    sa.Column('report', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('next_method', sa.Text(), nullable=True),
    sa.Column('next_kwargs', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('trigger_timeout_at', UtcDateTime(), nullable=True),
    sa.Column('reschedule_date', UtcDateTime(), nullable=True),
    sa.Column('reschedule_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('retry_delay_seconds', sa.Float(), nullable=True),
    sa.Column('retry_reason', sa.String(length=500), nullable=True),
    sa.Column('rendered_map_index', sa.Text(), nullable=True),
    sa.Column('archived_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_instance_history'))
    )
    op.create_index(op.f('ix_task_instance_history_dag_id_run_id_task_id_map_index'), 'task_instance_history', ['dag_id', 'run_id', 'task_id', 'map_index'], unique=False)
    op.create_table('variable',
    sa.Column('key', sa.String(length=250), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_variable'))
    )
    op.create_table('dag_run',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('run_type', sa.String(length=50), nullable=False),
    sa.Column('state', sa.String(length=50), nullable=False),
    sa.Column('logical_date', UtcDateTime(), nullable=True),
    sa.Column('data_interval_start', UtcDateTime(), nullable=True),
    sa.Column('data_interval_end', UtcDateTime(), nullable=True),
    sa.Column('run_after', UtcDateTime(), nullable=False),
    sa.Column('start_date', UtcDateTime(), nullable=True),
    sa.Column('end_date', UtcDateTime(), nullable=True),
    sa.Column('conf', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('clear_number', sa.Integer(), server_default='0', nullable=False),
    sa.Column('triggering_user_name', sa.String(length=250), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('partition_key', sa.String(length=250), nullable=True),
    sa.Column('partition_date', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['dag_id'], ['dag.dag_id'], name=op.f('fk_dag_run_dag')),
    sa.PrimaryKeyConstraint('dag_id', 'run_id', name=op.f('pk_dag_run'))
    )
    op.create_table('rendered_fields',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('fields', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['dag_id', 'run_id'], ['dag_run.dag_id', 'dag_run.run_id'], name=op.f('fk_rendered_fields_dag_run')),
    sa.PrimaryKeyConstraint('dag_id', 'run_id', 'task_id', 'map_index', name=op.f('pk_rendered_fields'))
    )
    op.create_table('task_instance',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('try_number', sa.Integer(), nullable=False),
    sa.Column('max_tries', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('dag_version_id', sa.String(length=36), nullable=False),
    sa.Column('hostname', sa.Text(), nullable=True),
    sa.Column('unixname', sa.Text(), nullable=True),
    sa.Column('pid', sa.BigInteger(), nullable=True),
    sa.Column('queued_at', UtcDateTime(), nullable=True),
    sa.Column('start_date', UtcDateTime(), nullable=True),
    sa.Column('end_date', UtcDateTime(), nullable=True),
    sa.Column('last_heartbeat_at', UtcDateTime(), nullable=True),
    sa.Column('report', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('next_method', sa.Text(), nullable=True),
    sa.Column('next_kwargs', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('trigger_timeout_at', UtcDateTime(), nullable=True),
    sa.Column('reschedule_date', UtcDateTime(), nullable=True),
    sa.Column('reschedule_count', sa.Integer(), server_default='0', nullable=False),
    sa.Column('retry_delay_seconds', sa.Float(), nullable=True),
    sa.Column('retry_reason', sa.String(length=500), nullable=True),
    sa.Column('rendered_map_index', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['dag_id', 'run_id'], ['dag_run.dag_id', 'dag_run.run_id'], name=op.f('fk_task_instance_dag_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_instance')),
    sa.UniqueConstraint('dag_id', 'run_id', 'task_id', 'map_index', name=op.f('uq_task_instance_dag_id_run_id_task_id_map_index'))
    )
    op.create_index(op.f('ix_task_instance_state'), 'task_instance', ['state'], unique=False)
    op.create_table('xcom',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=250), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=512), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('dag_result', sa.Boolean(), nullable=False),
    sa.Column('mapped_length', sa.Integer(), nullable=True),
    sa.Column('written_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dag_id', 'run_id'], ['dag_run.dag_id', 'dag_run.run_id'], name=op.f('fk_xcom_dag_run')),
    sa.PrimaryKeyConstraint('dag_id', 'run_id', 'task_id', 'map_index', 'key', name=op.f('pk_xcom'))
    )


def downgrade() -> None:
    op.drop_table('xcom')
    op.drop_index(op.f('ix_task_instance_state'), table_name='task_instance')
    op.drop_table('task_instance')
    op.drop_table('rendered_fields')
    op.drop_table('dag_run')
    op.drop_table('variable')
    op.drop_index(op.f('ix_task_instance_history_dag_id_run_id_task_id_map_index'), table_name='task_instance_history')
    op.drop_table('task_instance_history')
    op.drop_index(op.f('ix_state_write_ti_id'), table_name='state_write')
    op.drop_table('state_write')
    op.drop_table('dag')
    op.drop_table('connection')
