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

from airlock_server.store import schema, tries
from airlock_server.store.engine.database import open_engine
from airlock_server.store.engine.migrate import MIGRATIONS
from airlock_server.store.errors import NewerDatabase, Unavailable, UnsupportedDatabase


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


def test_the_migrations_make_exactly_the_tables_we_use(db):
    context = db.read(lambda conn: compare_metadata(MigrationContext.configure(conn), schema.metadata))
    assert [] == context


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


def test_whose_a_dag_is_survives_the_upgrade(tmp_path):
    from alembic import command

    url = f"sqlite:///{tmp_path / 'old.db'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(sa.text("INSERT INTO dag VALUES ('d', 'mine', '2026-01-01 00:00:00')"))
        conn.execute(
            sa.text(
                "INSERT INTO dag_run (dag_id, run_id, run_type, state, run_after) VALUES ('d','r','m','s','2026-01-01')"
            )
        )
    engine.dispose()
    with open_engine(url) as db:
        assert "bundle:mine" == db.read(lambda conn: conn.scalar(sa.select(schema.dag.c.owner)))
        db.write(lambda conn: tries.claim_dag(conn, "d", "mine"))


def test_the_runs_of_a_namespace_are_found_after_the_upgrade_and_after_its_undoing(tmp_path):
    from alembic import command

    url = f"sqlite:///{tmp_path / 'old.db'}"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url)
    names = "SELECT run_id FROM dag_run UNION ALL SELECT run_id FROM xcom ORDER BY 1"
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0002")
        conn.execute(sa.text("INSERT INTO dag (dag_id, owner, claimed_at) VALUES ('d', 'kubectl', '2026-01-01')"))
        for run_id, namespace in (("theirs", "'team-a'"), ("ours", "NULL")):
            conn.execute(
                sa.text(
                    "INSERT INTO dag_run (dag_id, run_id, run_type, state, run_after, namespace) "
                    f"VALUES ('d', '{run_id}', 'm', 's', '2026-01-01', {namespace})"
                )
            )
            conn.execute(
                sa.text(
                    "INSERT INTO xcom (dag_id, run_id, task_id, map_index, key, value, dag_result, written_at) "
                    f"VALUES ('d', '{run_id}', 't', -1, 'k', x'31', 0, '2026-01-01')"
                )
            )
    engine.dispose()
    with open_engine(url) as db:
        assert ["ours", "ours", "team-a/theirs", "team-a/theirs"] == db.read(
            lambda conn: list(conn.scalars(sa.text(names)))
        )
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.downgrade(config, "0002")
        assert ["ours", "ours", "theirs", "theirs"] == list(conn.scalars(sa.text(names)))
    engine.dispose()


def test_alembic_is_not_imported_for_a_current_schema(db, tmp_path):
    code = (
        "import sys; from airlock_server.store.engine.database import open_engine; "
        "open_engine(sys.argv[1]).close(); sys.exit('alembic' in sys.modules)"
    )
    assert (
        0 == subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path / 'airlock.db'}"], timeout=60).returncode
    )


def test_a_newer_database_is_refused(db, tmp_path):
    db.write(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase, match="newer"):
        open_engine(f"sqlite:///{tmp_path / 'airlock.db'}")


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/db", "sqlite://", "sqlite:///:memory:", "sqlite:///x?mode=ro", "secret", ""]
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


def test_two_processes_may_make_the_same_database_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    url, barrier = f"sqlite:///{tmp_path / 'new.db'}", context.Barrier(2)
    processes = [context.Process(target=_open_and_put, args=(url, name, barrier)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [0, 0] == [process.exitcode for process in processes]
    with open_engine(url) as db:
        assert {"a", "b"} == stored(db)


def test_a_write_is_committed_when_its_result_is_there(db, tmp_path):
    assert "a" == db.write(put("a"))
    other = sqlite3.connect(tmp_path / "airlock.db")
    assert [("a",)] == other.execute("SELECT dag_id FROM dag").fetchall()
    other.close()


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


def test_writes_that_wait_are_committed_together(db):
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
        blocked = asyncio.ensure_future(db.awrite(first))
        await asyncio.to_thread(begun.wait, 10)
        waiting = [asyncio.ensure_future(db.awrite(counted)) for _ in range(20)]
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


def test_a_lock_that_another_process_keeps_is_unavailable_for_all_who_wait(db, tmp_path, monkeypatch):
    db.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout = 200"))
    other = sqlite3.connect(tmp_path / "airlock.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def many():
        return await asyncio.gather(*map(db.awrite, [put("a"), put("b"), put("c")]), return_exceptions=True)

    started = time.monotonic()
    results = asyncio.run(many())
    assert [type(r) for r in results] == [Unavailable] * 3
    assert time.monotonic() - started < 5
    other.execute("ROLLBACK")
    other.close()
    assert "a" == db.write(put("a"))


def test_a_closed_database_takes_no_write(tmp_path, migrated):
    with open_engine(f"sqlite:///{migrated}") as db:
        pass
    with pytest.raises(Unavailable, match="closed"):
        db.write(put("a"))


def test_what_waits_when_the_database_is_closed_is_still_written(tmp_path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    db = open_engine(url)

    async def many():
        waiting = [asyncio.ensure_future(db.awrite(put(f"dag{i}"))) for i in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(db.close)
        return await asyncio.gather(*waiting)

    assert 50 == len(asyncio.run(many()))
    with open_engine(url) as again:
        assert 50 == len(stored(again))


def test_a_write_that_was_given_up_is_not_carried_out_later(db):
    begun, go = threading.Event(), threading.Event()

    async def give_up():
        blocked = asyncio.ensure_future(db.awrite(lambda conn: (begun.set(), go.wait(10))))
        await asyncio.to_thread(begun.wait, 10)
        given_up = asyncio.ensure_future(db.awrite(put("a")))
        await asyncio.sleep(0)
        given_up.cancel()
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
