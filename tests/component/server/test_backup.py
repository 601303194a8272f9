"""A copy of the database while a server writes, and its way back: whole, private, and never under a server's feet."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa

from airlock_server.store.engine import backup
from airlock_server.store.engine.database import open_engine
from airlock_server.store.errors import NotABackup


def database(path):
    return open_engine(f"sqlite:///{path}")


def put(db, key, value):
    db.write(
        lambda conn: conn.execute(
            sa.text("INSERT OR REPLACE INTO dag (dag_id, owner, claimed_at) VALUES (:k, :v, '2026-01-01')"),
            {"k": key, "v": value},
        )
    )


def owners(db):
    return dict(db.read(lambda conn: conn.execute(sa.text("SELECT dag_id, owner FROM dag")).all()))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "airlock.db"


def test_a_copy_that_is_put_back_has_what_was_there_when_it_was_made(path, tmp_path):
    with database(path) as db:
        put(db, "a", "before")
        backup.write(path, tmp_path / "copy")
        put(db, "a", "after")
        put(db, "b", "after")
        backup.stage(path, tmp_path / "copy")
    with database(path) as db:
        assert {"a": "before"} == owners(db)


def test_what_was_there_before_is_kept(path, tmp_path):
    with database(path) as db:
        backup.write(path, tmp_path / "copy")
        put(db, "a", "later")
        backup.stage(path, tmp_path / "copy")
    database(path).close()
    with sqlite3.connect(f"{path}{backup.BEFORE}") as kept:
        assert [("a", "later")] == kept.execute("SELECT dag_id, owner FROM dag").fetchall()


def test_a_copy_is_one_file_that_only_its_owner_can_read(path, tmp_path):
    with database(path) as db:
        put(db, "a", "b")
        backup.write(path, tmp_path / "copy")
        names = sorted(each.name for each in tmp_path.iterdir())

    assert ["airlock.db", "airlock.db-shm", "airlock.db-wal", "copy"] == names
    assert 0o600 == (tmp_path / "copy").stat().st_mode & 0o777


def test_a_copy_beside_many_writes_is_one_moment_of_them(path, tmp_path):
    """Each write sets two rows alike: a copy that shows them unlike was made in between."""
    with database(path) as db:
        ended = threading.Event()

        def write():
            for number in range(10_000):
                if ended.is_set():
                    return
                db.write(lambda conn, n=number: [put_both(conn, key, n) for key in ("a", "b")])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            copies = []
            for number in range(20):
                backup.write(path, tmp_path / f"copy-{number}")
                with sqlite3.connect(tmp_path / f"copy-{number}") as copy:
                    copies.append([owner for (owner,) in copy.execute("SELECT owner FROM dag ORDER BY dag_id")])
        finally:
            ended.set()
            writer.join(30)

    assert [] == [each for each in copies if len(set(each)) > 1]
    assert len({tuple(each) for each in copies}) > 1


def put_both(conn, key, number):
    text = "INSERT OR REPLACE INTO dag (dag_id, owner, claimed_at) VALUES (:k, :v, '2026-01-01')"
    conn.execute(sa.text(text), {"k": key, "v": str(number)})


def test_nothing_is_put_back_under_a_process_that_has_the_database_open(path, tmp_path):
    with database(path) as first:
        put(first, "a", "before")
        backup.write(path, tmp_path / "copy")
        put(first, "a", "after")
        backup.stage(path, tmp_path / "copy")
        code = f"from airlock_server.store.engine.database import open_engine; open_engine('sqlite:///{path}').close()"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
        assert {"a": "after"} == owners(first)
    with database(path) as db:
        assert {"a": "before"} == owners(db)


@pytest.mark.parametrize(
    "data", [b"", b"not a database", b"SQLite format 3\0" + b"x" * 5000], ids=["empty", "text", "damaged"]
)
def test_what_is_not_a_backup_is_refused_and_nothing_is_staged(path, tmp_path, data):
    database(path).close()
    (tmp_path / "bad").write_bytes(data)

    with pytest.raises(NotABackup):
        backup.stage(path, tmp_path / "bad")
    assert not path.with_name(path.name + backup.STAGED).exists()


def test_a_database_of_something_else_is_refused(path, tmp_path):
    database(path).close()
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE t (x)")

    with pytest.raises(NotABackup, match="not one of Airlock"):
        backup.stage(path, tmp_path / "other")


def airlock(home, *words, stdin=b""):
    env = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(home)}
    command = [sys.executable, "-m", "airlock_server", *words]
    return subprocess.run(command, env=env, input=stdin, capture_output=True, timeout=60, check=False)


def test_the_commands_carry_a_variable_back_over_standard_streams(tmp_path):
    home = tmp_path / "home"
    assert 0 == airlock(home, "variables", "set", "k", "before").returncode
    copy = airlock(home, "db", "backup", "-")
    airlock(home, "variables", "set", "k", "after")
    restored = airlock(home, "db", "restore", "-", stdin=copy.stdout)
    shown = airlock(home, "variables", "get", "k")

    assert (0, 0) == (copy.returncode, restored.returncode), (copy.stderr, restored.stderr)
    assert b"is put back when the server is started again" in restored.stdout
    assert b"before" in shown.stdout


def test_a_backup_replaces_no_file_unless_it_is_told_to(tmp_path):
    home, target = tmp_path / "home", tmp_path / "copy"
    airlock(home, "variables", "set", "k", "v")
    target.write_bytes(b"mine")
    refused = airlock(home, "db", "backup", str(target))

    assert (2, b"mine") == (refused.returncode, target.read_bytes())
    assert b"--force" in refused.stderr
    assert 0 == airlock(home, "db", "backup", "--force", str(target)).returncode
