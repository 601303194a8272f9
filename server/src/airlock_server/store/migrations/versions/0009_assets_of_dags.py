"""Which assets a parsed DAG names, and the watchers of assets."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('dag_asset',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('use', sa.String(length=10), nullable=False),
    sa.Column('task_id', sa.String(length=250), nullable=False),
    sa.Column('type', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=1500), nullable=False),
    sa.Column('uri', sa.String(length=1500), nullable=False),
    sa.ForeignKeyConstraint(['dag_id'], ['dag.dag_id'], name=op.f('fk_dag_asset_dag')),
    sa.PrimaryKeyConstraint('dag_id', 'position', name=op.f('pk_dag_asset'))
    )
    op.create_index(op.f('ix_dag_asset_name'), 'dag_asset', ['name'])
    op.create_table('asset_watcher',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('asset_name', sa.String(length=1500), nullable=False),
    sa.Column('asset_uri', sa.String(length=1500), nullable=False),
    sa.Column('name', sa.String(length=1500), nullable=False),
    sa.Column('classpath', sa.Text(), nullable=False),
    sa.Column('kwargs', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['dag_id'], ['dag.dag_id'], name=op.f('fk_asset_watcher_dag')),
    sa.PrimaryKeyConstraint('dag_id', 'position', name=op.f('pk_asset_watcher'))
    )


def downgrade() -> None:
    op.drop_table('asset_watcher')
    op.drop_index(op.f('ix_dag_asset_name'), table_name='dag_asset')
    op.drop_table('dag_asset')
