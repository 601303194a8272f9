"""What the tables share: their naming, the migration that makes them, and columns that several have."""

from typing import Any

import sqlalchemy as sa

#: The migration that makes these tables; ``migrate`` compares a database with it.
REVISION = "0009"

#: Characters of the key of an XCom and of a kept value, and of a variable.
MAX_KEY_CHARS, MAX_VARIABLE_CHARS = 512, 250

#: A namespace, a slash and a run id: ``run_keys``.
RUN_KEY = sa.String(63 + 1 + 250)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key_columns() -> list[sa.Column[Any]]:
    """Makes the columns by which a table's rows belong to a task instance, whichever its try."""
    return [
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("run_id", RUN_KEY, primary_key=True),
        sa.Column("task_id", sa.String(250), primary_key=True),
        sa.Column("map_index", sa.Integer, primary_key=True),
    ]


def number() -> sa.Column[Any]:
    """Makes the column of a number that the database gives out. SQLite gives them to INTEGER alone."""
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
