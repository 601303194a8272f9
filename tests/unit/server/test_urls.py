"""The database's URL: what is refused, and that no refusal shows it."""

import pytest

from airlock_server.store.engine import urls
from airlock_server.store.errors import UnsupportedDatabase


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_postgresql_is_named_by_its_scheme(scheme):
    url = urls.parse(f"{scheme}://user:p%40ss@host:5433/db?sslmode=verify-full")

    assert ("p@ss", "host", 5433, "db") == (url.password, url.host, url.port, url.database)


def test_postgresql_may_be_reached_by_a_socket():
    assert "/run/postgresql" == urls.parse("postgresql://user@/db?host=/run/postgresql").query["host"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u:secret@h/db", "does not support MySQL"),
        ("mariadb+pymysql://u:secret@h/db", "does not support MySQL"),
        ("postgres://u:secret@h/db", "postgres is not supported"),
        ("postgresql+asyncpg://u:secret@h/db", "is not supported"),
        ("oracle://u:secret@h/db", "oracle is not supported"),
        ("postgresql://u:secret@h", "names no database"),
        ("postgresql://u:se@secret@h/db", "%40"),
        ("postgresql://u@h:secret/db", "not a database URL"),
        ("secret", "not a database URL"),
        ("sqlite:///x?mode=secret", "without options"),
    ],
)
def test_a_url_that_is_refused_is_not_shown(url, words):
    with pytest.raises(UnsupportedDatabase, match=words) as refused:
        urls.parse(url)
    assert "secret" not in str(refused.value)
    assert None is refused.value.__cause__
