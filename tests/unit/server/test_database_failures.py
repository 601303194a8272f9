"""What a failed transaction of PostgreSQL becomes: by its SQLSTATE, and by nothing else of it."""

import psycopg
import pytest
import sqlalchemy as sa

from airlock_server.store.engine.failures import Failure, again, explained, failure
from airlock_server.store.errors import DiskFull, Unavailable, Unstorable


def raised(state, kind=sa.exc.OperationalError, error=psycopg.Error):
    original = error("the server's words\nDETAIL: the values of a row")
    original.sqlstate = state
    return kind("SELECT 1", {}, original)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (raised("40001"), Failure.COLLISION),
        (raised("40P01"), Failure.COLLISION),
        (raised("23505", sa.exc.IntegrityError), Failure.ROW_EXISTS),
        (raised("57P01"), Failure.CONNECTION),
        (raised("53100"), Failure.DISK_FULL),
        (raised("22021", sa.exc.DataError), Failure.DATA),
        (raised("25006", sa.exc.InternalError), Failure.UNAVAILABLE),
        (raised(None), Failure.UNAVAILABLE),
        (sa.exc.TimeoutError(), Failure.UNAVAILABLE),
        (raised("42P01", sa.exc.ProgrammingError), Failure.OTHER),
        (ValueError("not the database's"), Failure.OTHER),
    ],
)
def test_a_failure_has_a_kind(error, expected):
    assert expected is failure(error)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Failure.DISK_FULL, DiskFull),
        (Failure.UNAVAILABLE, Unavailable),
        (Failure.CONNECTION, Unavailable),
        (Failure.COLLISION, Unavailable),
        (Failure.DATA, Unstorable),
    ],
)
def test_a_caller_is_told_the_kind_and_no_value_of_a_row(kind, expected):
    error = explained(kind, raised("53100"), "write")

    assert expected is type(error)
    assert "the server's words" in str(error)
    assert "DETAIL" not in str(error)


@pytest.mark.parametrize("kind", [Failure.DISK_FULL, Failure.UNAVAILABLE, Failure.DATA, Failure.OTHER])
def test_what_another_run_would_not_mend_runs_once(kind):
    assert not again(kind, 1)
