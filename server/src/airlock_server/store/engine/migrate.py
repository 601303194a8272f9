"""
Brings a database's schema up to date. Alembic is imported only if the schema is not current: it takes more memory than
the rest of the store.
"""

from pathlib import Path

import sqlalchemy as sa

from airlock_server.store.engine import locks
from airlock_server.store.errors import NewerDatabase
from airlock_server.store.schema import REVISION

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def migrate(engine: sa.Engine) -> None:
    """
    Makes or upgrades the tables. SQLite's ``engine`` begins its transactions with the write lock.

    If two processes start at once on a new database, the second waits for the lock and then finds the tables there.
    """
    with engine.begin() as connection:
        if _revision(connection) == REVISION:
            return
        locks.lock_schema(connection)
        if _revision(connection) == REVISION:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, REVISION)
        except CommandError as e:
            raise NewerDatabase(f"the database's schema is unknown to this Airlock, so a newer one's: {e}") from e


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision
