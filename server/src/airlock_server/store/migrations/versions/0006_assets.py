"""Assets, their aliases, events and state; which assets a task instance may use."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('asset',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=1500), nullable=False),
    sa.Column('uri', sa.String(length=1500), nullable=False),
    sa.Column('group', sa.String(length=1500), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('declared_by', sa.String(length=314), nullable=False),
    sa.Column('declared_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asset')),
    sa.UniqueConstraint('digest', name=op.f('uq_asset_digest')),
    sqlite_autoincrement=True
    )
    op.create_index('uq_asset_active_name', 'asset', ['name'], unique=True, sqlite_where=sa.text('active'), postgresql_where=sa.text('active'))
    op.create_index('uq_asset_active_uri', 'asset', ['uri'], unique=True, sqlite_where=sa.text('active'), postgresql_where=sa.text('active'))
    op.create_table('asset_alias',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=1500), nullable=False),
    sa.Column('group', sa.String(length=1500), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_alias')),
    sa.UniqueConstraint('name', name=op.f('uq_asset_alias_name')),
    sqlite_autoincrement=True
    )
    op.create_table('asset_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('timestamp', UtcDateTime(), nullable=False),
    sa.Column('extra', sa.JSON(), nullable=False),
    sa.Column('source_dag_id', sa.String(length=250), nullable=True),
    sa.Column('source_run_id', sa.String(length=314), nullable=True),
    sa.Column('source_task_id', sa.String(length=250), nullable=True),
    sa.Column('source_map_index', sa.Integer(), nullable=True),
    sa.Column('partition_key', sa.String(length=250), nullable=True),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_asset_event_asset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_event')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_asset_event_asset_id_timestamp'), 'asset_event', ['asset_id', 'timestamp'], unique=False)
    op.create_table('asset_of_alias',
    sa.Column('alias_id', sa.BigInteger(), nullable=False),
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['alias_id'], ['asset_alias.id'], name=op.f('fk_asset_of_alias_asset_alias')),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_asset_of_alias_asset')),
    sa.PrimaryKeyConstraint('alias_id', 'asset_id', name=op.f('pk_asset_of_alias'))
    )
    op.create_index(op.f('ix_asset_of_alias_asset_id'), 'asset_of_alias', ['asset_id'], unique=False)
    op.create_table('asset_state',
    sa.Column('asset_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(length=512), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=314), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_asset_state_asset')),
    sa.PrimaryKeyConstraint('asset_id', 'key', name=op.f('pk_asset_state'))
    )
    op.create_table('alias_of_event',
    sa.Column('event_id', sa.BigInteger(), nullable=False),
    sa.Column('alias_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['alias_id'], ['asset_alias.id'], name=op.f('fk_alias_of_event_asset_alias')),
    sa.ForeignKeyConstraint(['event_id'], ['asset_event.id'], name=op.f('fk_alias_of_event_asset_event')),
    sa.PrimaryKeyConstraint('event_id', 'alias_id', name=op.f('pk_alias_of_event'))
    )
    op.create_index(op.f('ix_alias_of_event_alias_id'), 'alias_of_event', ['alias_id'], unique=False)
    op.create_table('declared_asset',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('run_id', sa.String(length=314), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('map_index', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('use', sa.String(length=10), nullable=False),
    sa.Column('type', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=1500), nullable=False),
    sa.Column('uri', sa.String(length=1500), nullable=False),
    sa.ForeignKeyConstraint(['dag_id', 'run_id'], ['dag_run.dag_id', 'dag_run.run_id'], name=op.f('fk_declared_asset_dag_run')),
    sa.PrimaryKeyConstraint('dag_id', 'run_id', 'task_id', 'map_index', 'position', name=op.f('pk_declared_asset'))
    )


def downgrade() -> None:
    op.drop_table('declared_asset')
    op.drop_index(op.f('ix_alias_of_event_alias_id'), table_name='alias_of_event')
    op.drop_table('alias_of_event')
    op.drop_table('asset_state')
    op.drop_index(op.f('ix_asset_of_alias_asset_id'), table_name='asset_of_alias')
    op.drop_table('asset_of_alias')
    op.drop_index(op.f('ix_asset_event_asset_id_timestamp'), table_name='asset_event')
    op.drop_table('asset_event')
    op.drop_table('asset_alias')
    op.drop_index('uq_asset_active_uri', table_name='asset', sqlite_where=sa.text('active'), postgresql_where=sa.text('active'))
    op.drop_index('uq_asset_active_name', table_name='asset', sqlite_where=sa.text('active'), postgresql_where=sa.text('active'))
    op.drop_table('asset')
