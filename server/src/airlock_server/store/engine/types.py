"""Column types that mean the same on every database."""

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

#: The execution option of a statement whose result may be large: a database may have a faster way for these.
LARGE: Final = "airlock_large"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """
    A time, read as aware and in UTC.

    SQLite stores no zone, so the UTC wall time is stored there. A naive value is refused as a mistake.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Converts a value for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Converts a value of the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """Returns the current time, aware."""
    return datetime.now(UTC)
