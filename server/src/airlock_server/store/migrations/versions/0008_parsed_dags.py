"""What the DAG processor writes: bundles, versions of DAGs, import errors and warnings."""

import sqlalchemy as sa
from alembic import op

from airlock_server.store.engine.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_A_DAG = (
    ('last_parsed_at', UtcDateTime(), None),
    ('is_stale', sa.Boolean(create_constraint=False), sa.false()),
    ('display_name', sa.Text(), None),
    ('description', sa.Text(), None),
    ('schedule_summary', sa.Text(), None),
    ('next_dagrun_data_interval_start', UtcDateTime(), None),
    ('next_dagrun_data_interval_end', UtcDateTime(), None),
    ('next_dagrun_create_after', UtcDateTime(), None),
)


def upgrade() -> None:
    for name, kind, default in OF_A_DAG:
        op.add_column('dag', sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_table('dag_bundle',
    sa.Column('name', sa.String(length=250), nullable=False),
    sa.Column('active', sa.Boolean(create_constraint=False), nullable=False),
    sa.Column('version', sa.String(length=250), nullable=True),
    sa.Column('refreshed_at', UtcDateTime(), nullable=True),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_dag_bundle'))
    )
    op.create_table('dag_version',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('bundle_name', sa.String(length=250), nullable=False),
    sa.Column('bundle_version', sa.String(length=250), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dag_id'], ['dag.dag_id'], name=op.f('fk_dag_version_dag')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dag_version')),
    sa.UniqueConstraint('dag_id', 'number', name=op.f('uq_dag_version_dag_id_number'))
    )
    op.create_table('import_error',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('bundle_name', sa.String(length=250), nullable=False),
    sa.Column('relative_fileloc', sa.Text(), nullable=False),
    sa.Column('stacktrace', sa.Text(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_error')),
    sa.UniqueConstraint('bundle_name', 'relative_fileloc', name=op.f('uq_import_error_bundle_name_relative_fileloc')),
    sqlite_autoincrement=True
    )
    op.create_table('dag_warning',
    sa.Column('dag_id', sa.String(length=250), nullable=False),
    sa.Column('kind', sa.String(length=50), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dag_id'], ['dag.dag_id'], name=op.f('fk_dag_warning_dag')),
    sa.PrimaryKeyConstraint('dag_id', 'kind', name=op.f('pk_dag_warning'))
    )


def downgrade() -> None:
    op.drop_table('dag_warning')
    op.drop_table('import_error')
    op.drop_table('dag_version')
    op.drop_table('dag_bundle')
    for name, _, _ in reversed(OF_A_DAG):
        op.drop_column('dag', name)
