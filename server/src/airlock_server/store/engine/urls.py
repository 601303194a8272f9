"""Reads ``[database] url``. Its password is in no error: a URL that is refused is never shown."""

from pathlib import Path

import sqlalchemy as sa

from airlock_server.store.errors import UnsupportedDatabase

_FORMS = "write sqlite:////absolute/path or postgresql://user:password@host/database"
_DRIVERS = ("postgresql", "postgresql+psycopg")


def parse(url: str) -> sa.URL:
    """Returns the URL of a database that Airlock supports. Raises UnsupportedDatabase."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # The cause would show a part of the URL.
        raise UnsupportedDatabase(f"[database] url is not a database URL; {_FORMS}") from None
    if parsed.get_backend_name() == "sqlite":
        path_of(parsed)
        return parsed
    if parsed.get_backend_name() in ("mysql", "mariadb"):
        raise UnsupportedDatabase(f"[database] url: Airlock does not support MySQL and MariaDB; {_FORMS}")
    if parsed.drivername not in _DRIVERS:
        raise UnsupportedDatabase(f"[database] url: {parsed.drivername} is not supported; {_FORMS}")
    if "@" in (parsed.host or ""):
        raise UnsupportedDatabase("[database] url: write an @ of the user or password as %40")
    if not parsed.database:
        raise UnsupportedDatabase(f"[database] url names no database; {_FORMS}")
    return parsed


def path_of(url: sa.URL) -> Path:
    """Returns the file of a SQLite database. Raises UnsupportedDatabase."""
    if not url.database or url.database == ":memory:" or url.query:
        raise UnsupportedDatabase("[database] url must name a file, without options: sqlite:////absolute/path")
    return Path(url.database)
