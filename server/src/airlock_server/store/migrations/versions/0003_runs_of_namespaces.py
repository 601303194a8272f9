"""A DAG run that TaskRuns made has its namespace in its name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What names a DAG run; the first is what the others refer to.
REFERRING = ('task_instance', 'xcom', 'rendered_fields')
TABLES = ('dag_run', 'task_instance', 'task_instance_history', 'xcom', 'rendered_fields', 'attempt')


def upgrade() -> None:
    runs = op.get_bind().execute(sa.text(
        "SELECT dag_id, run_id, namespace FROM dag_run WHERE namespace IS NOT NULL"
    )).all()
    _rename([(dag_id, run_id, f"{namespace}/{run_id}") for dag_id, run_id, namespace in runs])


def downgrade() -> None:
    # Two namespaces may each have a run of one name by now: what cannot be named as before keeps its name.
    runs = op.get_bind().execute(sa.text(
        "SELECT dag_id, run_id, namespace FROM dag_run WHERE namespace IS NOT NULL"
    )).all()
    taken = {tuple(row) for row in op.get_bind().execute(sa.text("SELECT dag_id, run_id FROM dag_run"))}
    for dag_id, run_id, namespace in runs:
        before = run_id.removeprefix(f"{namespace}/")
        if (dag_id, before) not in taken:
            taken.add((dag_id, before))
            _rename([(dag_id, run_id, before)])


def _rename(runs: list[tuple[str, str, str]]) -> None:
    # A run and what refers to it change one after the other.
    postgresql = op.get_bind().dialect.name == 'postgresql'
    if postgresql:
        for table in REFERRING:
            op.drop_constraint(f'fk_{table}_dag_run', table)
    else:
        op.execute("PRAGMA defer_foreign_keys = ON")
    for dag_id, before, after in runs:
        for table in TABLES:
            change = sa.text(f"UPDATE {table} SET run_id = :after WHERE dag_id = :dag AND run_id = :before")
            op.get_bind().execute(change, {"after": after, "dag": dag_id, "before": before})
    if postgresql:
        for table in REFERRING:
            op.create_foreign_key(f'fk_{table}_dag_run', table, 'dag_run', ['dag_id', 'run_id'], ['dag_id', 'run_id'])
