"""
Widens the name of a DAG run, which may begin with its namespace, and the count of the moves of states.

SQLite knows no lengths, so only PostgreSQL's tables change. A name that is too long cannot be taken down again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ('dag_run', 'task_instance', 'task_instance_history', 'xcom', 'rendered_fields', 'task_state', 'attempt')


def upgrade() -> None:
    _alter(sa.String(length=314), sa.BigInteger(), 'bigint')


def downgrade() -> None:
    _alter(sa.String(length=250), sa.Integer(), 'integer')


def _alter(name: sa.String, number: sa.Integer, sequence: str) -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table in TABLES:
        op.alter_column(table, 'run_id', type_=name)
    op.alter_column('state_write', 'id', type_=number)
    op.execute(f"ALTER SEQUENCE state_write_id_seq AS {sequence}")
