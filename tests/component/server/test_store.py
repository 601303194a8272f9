"""The database: migrations, group commit, several processes."""

import asyncio
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from airlock_server.settings import DatabaseSettings
from airlock_server.store import schema, tries, xcoms
from airlock_server.store.engine.database import open_engine
from airlock_server.store.engine.migrate import MIGRATIONS
from airlock_server.store.engine.sqlite import LOG_BYTES
from airlock_server.store.engine.types import now
from airlock_server.store.errors import NewerDatabase, Unavailable, UnsupportedDatabase
from airlock_wire.identity import TaskInstanceKey


def put(dag_id, fail=None):
    def write(conn):
        conn.execute(sa.insert(schema.dag).values(dag_id=dag_id, owner="bundle:b", claimed_at=schema_now()))
        if fail:
            raise fail
        return dag_id

    return write


def schema_now():
    from airlock_server.store.engine.types import now

    return now()


def stored(db):
    return set(db.read(lambda conn: conn.scalars(sa.select(schema.dag.c.dag_id)).all()))


def _other_type(context, _inspected, _column, before, after):
    """SQLite knows no lengths, so no migration changes them there."""
    if context.dialect.name == "sqlite" and isinstance(before, sa.String) and isinstance(after, sa.String):
        return isinstance(before, sa.Text) != isinstance(after, sa.Text)
    return None


def insert_value(conn, number, content):
    tries.claim_dag(conn, "d", "b")
    if number == 0:
        tries.queue_task(conn, TaskInstanceKey("d", "r", "t"), try_number=1, max_tries=0, conf=None, now=now())
    assert xcoms.put(conn, xcoms.XComKey("d", "r", "t", f"k{number}"), -1, content)


def test_the_migrations_make_exactly_the_tables_we_use(db):
    def compare(conn):
        context = MigrationContext.configure(conn, opts={"compare_type": _other_type})
        return compare_metadata(context, schema.metadata)

    assert [] == db.read(compare)


def test_the_newest_migration_is_the_one_we_ask_for():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert [schema.REVISION] == ScriptDirectory.from_config(config).get_heads()


def test_a_migration_can_be_undone(db):
    from alembic import command

    def undo(conn):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = conn
        command.downgrade(config, "base")
        return sa.inspect(conn).get_table_names()

    assert ["alembic_version"] == db.write(undo)


def test_alembic_is_not_imported_for_a_current_schema(db, db_url):
    code = (
        "import sys; from airlock_server.store.engine.database import open_engine; "
        "open_engine(sys.argv[1]).close(); sys.exit('alembic' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code, db_url], timeout=60).returncode


def test_a_newer_database_is_refused(db, db_url):
    db.write(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="newer"):
        open_engine(db_url)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:secret@h/db",
        "mysql://u:secret@h/db",
        "postgresql://u:p@secret:x@h/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x?mode=ro",
        "secret",
        "",
    ],
)
def test_any_other_database_is_refused_with_the_fix(url):
    with pytest.raises(UnsupportedDatabase, match="sqlite:////absolute/path") as refused:
        open_engine(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(Unavailable, match=r"x\.db"):
        open_engine(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_database_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(Unavailable, match="No such file or directory"):
        open_engine(f"sqlite:///{tmp_path / 'absent' / 'x.db'}")


def test_a_new_database_is_its_owners_only(tmp_path):
    with open_engine(f"sqlite:///{tmp_path / 'x.db'}") as db:
        db.write(put("a"))
        assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}


def _open_and_put(url, name, barrier):
    barrier.wait(30)
    with open_engine(url) as db:
        db.write(put(name))


def test_two_processes_may_make_the_same_database_at_once(empty_url):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=_open_and_put, args=(empty_url, name, barrier)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [0, 0] == [process.exitcode for process in processes]
    with open_engine(empty_url) as db:
        assert {"a", "b"} == stored(db)


def test_a_write_is_committed_when_its_result_is_there(db, db_url):
    assert "a" == db.write(put("a"))
    with open_engine(db_url) as other:
        assert {"a"} == stored(other)


def test_only_the_guilty_write_of_a_batch_fails(db):
    async def many():
        writes = [put(f"dag{i}", ValueError(i) if i in (3, 7) else None) for i in range(10)]
        return await asyncio.gather(*map(db.awrite, writes), return_exceptions=True)

    results = asyncio.run(many())
    assert [str(r) if isinstance(r, ValueError) else "ok" for r in results] == [
        {3: "3", 7: "7"}.get(i, "ok") for i in range(10)
    ]
    assert stored(db) == {f"dag{i}" for i in range(10)} - {"dag3", "dag7"}


def test_a_write_that_breaks_a_constraint_fails_alone(db):
    async def many():
        return await asyncio.gather(*map(db.awrite, [put("a"), put("a"), put("b")]), return_exceptions=True)

    results = asyncio.run(many())
    assert ("a", "b") == (results[0], results[2])
    assert isinstance(results[1], sa.exc.IntegrityError)
    assert {"a", "b"} == stored(db)


def test_writes_that_wait_are_committed_together(sqlite_db):
    begun, go = threading.Event(), threading.Event()
    seen, transactions = [], set()

    def first(conn):
        begun.set()
        assert go.wait(10)

    def counted(conn):
        seen.append(conn.scalar(sa.select(sa.func.count()).select_from(schema.dag)))
        transactions.add(conn.get_transaction())
        return put(f"dag{len(seen)}")(conn)

    async def many():
        blocked = asyncio.ensure_future(sqlite_db.awrite(first))
        await asyncio.to_thread(begun.wait, 10)
        waiting = [asyncio.ensure_future(sqlite_db.awrite(counted)) for _ in range(20)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(blocked, *waiting)

    asyncio.run(many())
    assert seen == list(range(20))
    assert 1 == len(transactions)


def test_writes_from_many_threads_are_all_kept(db):
    threads = [threading.Thread(target=lambda i=i: [db.write(put(f"{i}-{j}")) for j in range(20)]) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 320 == len(stored(db))


def test_large_values_are_copied_out_of_the_log_which_stays_short(sqlite_db, tmp_path):
    log, content = tmp_path / "airlock.db-wal", b"x" * 3_000_000
    for number in range(12):
        sqlite_db.write(lambda conn, n=number: insert_value(conn, n, content))
    # Whatever comes next is cut to the log's size, once all of it was copied.
    sqlite_db.write(lambda conn: insert_value(conn, 12, b"1"))

    assert log.stat().st_size <= 2 * LOG_BYTES
    assert (tmp_path / "airlock.db").stat().st_size > 8 * len(content)
    with sqlite3.connect(tmp_path / "airlock.db") as other:
        assert 12 == other.execute("SELECT count(*) FROM xcom WHERE length(value) = ?", (len(content),)).fetchone()[0]


def test_a_read_goes_on_while_a_write_is_under_way(db):
    begun, go = threading.Event(), threading.Event()

    def slow(conn):
        put("a")(conn)
        begun.set()
        assert go.wait(10)

    thread = threading.Thread(target=db.write, args=(slow,))
    thread.start()
    assert begun.wait(10)
    assert stored(db) == set()
    go.set()
    thread.join(10)
    assert {"a"} == stored(db)


def test_a_lock_that_another_process_keeps_is_unavailable_for_all_who_wait(sqlite_db, tmp_path):
    sqlite_db.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 200"))
    other = sqlite3.connect(tmp_path / "airlock.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def many():
        return await asyncio.gather(*map(sqlite_db.awrite, [put("a"), put("b"), put("c")]), return_exceptions=True)

    started = time.monotonic()
    results = asyncio.run(many())
    assert [type(r) for r in results] == [Unavailable] * 3
    assert time.monotonic() - started < 5
    other.execute("ROLLBACK")
    other.close()
    assert "a" == sqlite_db.write(put("a"))


def test_a_closed_database_takes_no_write(db):
    db.close()
    with pytest.raises(Unavailable, match="closed"):
        db.write(put("a"))


def test_what_waits_when_the_database_is_closed_is_still_written(db, db_url):
    async def many():
        waiting = [asyncio.ensure_future(db.awrite(put(f"dag{i}"))) for i in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(db.close)
        return await asyncio.gather(*waiting)

    assert 50 == len(asyncio.run(many()))
    with open_engine(db_url) as again:
        assert 50 == len(stored(again))


def test_a_write_that_was_given_up_is_not_carried_out_later(db, db_url):
    # As many as are done at once: the next one waits.
    at_once = 1 if db_url.startswith("sqlite") else DatabaseSettings().pool_size
    begun, go = threading.Semaphore(0), threading.Event()

    async def give_up():
        blocked = asyncio.gather(*(db.awrite(lambda conn: (begun.release(), go.wait(10))) for _ in range(at_once)))
        for _ in range(at_once):
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        given_up = asyncio.ensure_future(db.awrite(put("a")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        go.set()
        await blocked

    asyncio.run(give_up())
    db.write(put("b"))
    assert {"b"} == stored(db)


def test_a_statement_that_fails_does_not_show_what_it_was_to_write(db):
    db.write(put("secret-name"))
    with pytest.raises(sa.exc.IntegrityError) as failed:
        db.write(put("secret-name"))
    assert "secret-name" not in str(failed.value)
