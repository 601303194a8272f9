"""A task instance's key as columns: several tables have the same four."""

from typing import Any

import msgspec
import sqlalchemy as sa

from airlock_wire.identity import TaskInstanceKey

#: The names of the four columns.
COLUMNS = TaskInstanceKey.__struct_fields__


def at(table: sa.Table, key: TaskInstanceKey) -> list[sa.ColumnElement[bool]]:
    """Returns the conditions for the rows of this task instance."""
    return [table.c[name] == getattr(key, name) for name in COLUMNS]


def same(one: sa.Table, other: sa.Table) -> sa.ColumnElement[bool]:
    """Returns the condition that joins the rows of two tables about one task instance."""
    return sa.and_(*(one.c[name] == other.c[name] for name in COLUMNS))


def of_row(row: Any) -> TaskInstanceKey:
    """Reads the key from a row with the four columns."""
    return TaskInstanceKey(**{name: getattr(row, name) for name in COLUMNS})


def as_columns(key: TaskInstanceKey) -> dict[str, Any]:
    """Returns the key as values for the four columns."""
    return msgspec.structs.asdict(key)
