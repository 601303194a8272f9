"""The statement of an upsert, by the database's dialect."""

from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from airlock_server.store.engine.upsert import upsert
from airlock_server.store.errors import UnsupportedDatabase
from airlock_server.store.schema import variable


def statement(dialect):
    """The SQL that an upsert of a variable executes."""
    executed = []
    conn = SimpleNamespace(dialect=dialect, execute=lambda made: executed.append(made))
    upsert(conn, variable, {"key": "k"}, {"value": "v"})
    (made,) = executed
    assert isinstance(made, sa.Insert)
    return str(made.compile(dialect=dialect))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: dialect.name)
def test_a_row_that_exists_is_updated_on_each_database(dialect):
    assert "ON CONFLICT (key) DO UPDATE SET value = excluded.value" in statement(dialect).replace('"', "")


def test_the_statement_is_built_for_the_databases_own_dialect():
    assert "VALUES (?, ?)" in statement(sqlite.dialect())
    assert "%(value)s" in statement(postgresql.dialect())


def test_a_database_without_a_known_upsert_is_refused():
    with pytest.raises(UnsupportedDatabase, match="mysql"):
        statement(mysql.dialect())
