"""An INSERT that becomes an UPDATE if the row exists, by SQLite's statement."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert


def upsert(conn: sa.Connection, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Makes the row with the primary key ``key``, or sets ``values`` in it."""
    made = insert(table).values(**key, **values)
    conn.execute(
        made.on_conflict_do_update(index_elements=list(key), set_={name: made.excluded[name] for name in values})
    )
