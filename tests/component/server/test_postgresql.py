"""What only PostgreSQL does: a server that goes and comes back, deadlocks, limits, values that it cannot hold."""

import asyncio
import contextlib
import logging
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from doubles.postgresql import PASSWORD

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.settings import DatabaseSettings, JwtSettings
from airlock_server.store import schema, variables
from airlock_server.store.engine import postgresql as engine
from airlock_server.store.engine.database import open_engine
from airlock_server.store.engine.types import LARGE, now
from airlock_server.store.errors import Unavailable, UnsupportedDatabase

ENCRYPTION = Encryption(b"e" * 64)


def put(dag_id):
    def write(conn):
        conn.execute(sa.insert(schema.dag).values(dag_id=dag_id, owner="bundle:b", claimed_at=now()))
        return dag_id

    return write


def rename(first, second, pause=None):
    """A write that changes two rows, one after the other."""

    def write(conn):
        for place, dag_id in enumerate((first, second)):
            conn.execute(sa.update(schema.dag).where(schema.dag.c.dag_id == dag_id).values(owner="bundle:c"))
            if pause is not None and place == 0:
                # Whoever does its write once more may come when the other has ended: there is nobody to meet then.
                with contextlib.suppress(threading.BrokenBarrierError):
                    pause.wait(10)

    return write


def stored(db):
    return set(db.read(lambda conn: conn.scalars(sa.select(schema.dag.c.dag_id)).all()))


def test_a_restart_of_postgresql_is_not_seen_by_calls_that_come_after_it(postgresql, postgresql_db):
    db = postgresql_db

    async def many(names):
        return await asyncio.gather(*(db.awrite(put(name)) for name in names))

    asyncio.run(many([f"a{number}" for number in range(30)]))
    postgresql.stop()
    postgresql.start()
    asyncio.run(many([f"b{number}" for number in range(30)]))
    assert 60 == len(stored(db))


def test_without_postgresql_calls_are_unavailable_until_it_is_back(postgresql, postgresql_db):
    db = postgresql_db
    db.write(put("a"))
    postgresql.stop()
    try:
        for call in (db.write, db.read):
            with pytest.raises(Unavailable) as away:
                call(put("b"))
            assert PASSWORD not in repr(away.value)
    finally:
        postgresql.start()
    db.write(put("c"))
    assert {"a", "c"} == stored(db)


def test_a_crash_of_postgresql_loses_no_write_that_was_accepted(postgresql, postgresql_db):
    db, accepted, ends = postgresql_db, set(), threading.Event()

    def many(worker):
        number = 0
        while not ends.is_set():
            number += 1
            try:
                accepted.add(db.write(put(f"{worker}-{number}")))
            except Unavailable:
                ends.wait(0.05)

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(many, worker) for worker in range(8)]
        try:
            for _ in range(2):
                assert not ends.wait(1)
                postgresql.stop(signal.SIGQUIT)
                postgresql.start()
                db.write(put(f"after-{len(accepted)}"))
        finally:
            ends.set()
        for each in running:
            each.result(30)
    assert len(accepted) > 20
    assert set() == accepted - stored(db)


def test_both_writes_of_a_deadlock_are_done(postgresql_db):
    db = postgresql_db
    db.write(put("a"))
    db.write(put("b"))
    pause = threading.Barrier(2)

    def meet(first, second):
        try:
            db.write(rename(first, second, pause))
        finally:
            pause.abort()

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(meet, "a", "b"), threads.submit(meet, "b", "a")]:
            each.result(60)


def test_a_lock_that_another_keeps_is_unavailable_after_a_time(postgresql_url):
    with (
        open_engine(postgresql_url, DatabaseSettings(lock_seconds=0.2)) as db,
        psycopg.connect(postgresql_url) as other,
    ):
        db.write(put("a"))
        other.execute("SELECT * FROM dag FOR UPDATE")
        with pytest.raises(Unavailable, match="lock timeout"):
            db.write(rename("a", "a"))
        other.rollback()
        db.write(rename("a", "a"))


def test_a_statement_that_takes_too_long_is_unavailable(postgresql_url):
    with (
        open_engine(postgresql_url, DatabaseSettings(statement_seconds=0.2)) as db,
        pytest.raises(Unavailable, match="statement timeout"),
    ):
        db.read(lambda conn: conn.execute(sa.text("SELECT pg_sleep(20)")))


def test_a_call_that_finds_every_connection_taken_is_unavailable_after_a_time(postgresql_url):
    begun, go = threading.Event(), threading.Event()
    settings = DatabaseSettings(pool_size=1, lock_seconds=0.2)
    with open_engine(postgresql_url, settings) as db, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(db.read, lambda conn: (begun.set(), go.wait(10)))
        assert begun.wait(10)
        with pytest.raises(Unavailable):
            db.read(lambda conn: conn.scalar(sa.select(1)))
        go.set()
        slow.result(10)


def test_a_read_writes_nothing(postgresql_db):
    with pytest.raises(Unavailable, match="read-only"):
        postgresql_db.read(put("a"))


def test_statements_are_prepared(postgresql_url):
    with open_engine(postgresql_url, DatabaseSettings(pool_size=1)) as db:
        for _ in range(8):
            stored(db)
        names = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM dag%'"
        assert 1 == db.read(lambda conn: conn.scalar(sa.text(names)))


@pytest.mark.parametrize(
    ("path", "body"), [("/variables/" + "k" * 251, {"value": "v"}), ("/variables/a%00b", {"value": "v"})]
)
def test_a_value_that_postgresql_cannot_hold_is_invalid_and_no_fault_of_the_server(postgresql_db, path, body):
    tokens = Tokens(b"k" * 64, JwtSettings())
    with EmbeddedServer(postgresql_db, tokens, ENCRYPTION) as server:
        headers = {"authorization": f"Bearer {tokens.mint_execution(str(uuid.uuid4()))}"}
        answer = httpx.put(server.url + path, json=body, headers=headers)
    assert 422 == answer.status_code, answer.text


def test_a_row_that_fails_shows_no_value_of_it(postgresql_db, caplog):
    # Not spelt out, as a traceback shows this file.
    value = "hid" + "den"
    with pytest.raises(sa.exc.IntegrityError) as failed:
        postgresql_db.write(lambda conn: conn.execute(sa.insert(schema.connection).values(conn_id="c", host=value)))
    logging.getLogger("test").error("failed", exc_info=failed.value)
    assert "null value" in caplog.text
    assert value not in caplog.text


@pytest.mark.parametrize("wrong", ["password", "database", "host"])
def test_a_database_that_cannot_be_reached_is_named_without_its_password(postgresql_url, wrong, caplog):
    wrong_url = {
        "password": postgresql_url.replace(PASSWORD, "another-secret"),
        "database": postgresql_url.replace("?host", "x?host"),
        "host": postgresql_url + "x",
    }[wrong]
    with pytest.raises(Unavailable) as refused:
        open_engine(wrong_url)
    logging.getLogger("test").error("failed", exc_info=refused.value)
    assert "secret" not in str(refused.value) + caplog.text


def test_an_encoding_that_cannot_hold_every_text_is_refused(postgresql):
    options = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc"
    postgresql.run(f"CREATE DATABASE ascii {options}")
    with pytest.raises(UnsupportedDatabase, match="UTF8"):
        open_engine(postgresql.url("ascii"))
    postgresql.drop("ascii")


def test_a_server_that_is_too_old_is_refused(postgresql_url, monkeypatch):
    monkeypatch.setattr(engine, "OLDEST_VERSION", 99)
    with pytest.raises(UnsupportedDatabase, match="99 or newer"):
        open_engine(postgresql_url)


def test_values_keep_their_order_and_their_bytes(postgresql_db):
    postgresql_db.write(lambda conn: variables.put(conn, ENCRYPTION, "ключ", "значение 🚀", None))
    assert (True, "значение 🚀") == postgresql_db.read(lambda conn: variables.get(conn, ENCRYPTION, "ключ"))


def test_a_large_value_comes_in_the_binary_form_and_others_do_not(postgresql_db):
    statement = sa.select(sa.literal(b"\x00\xff" * 10, sa.LargeBinary))

    def read(conn):
        formats = []
        for query in (statement.execution_options(**{LARGE: True}), statement):
            result = conn.execute(query)
            formats.append(result.cursor.format)
            assert b"\x00\xff" * 10 == result.scalar()
        return formats

    assert [1, 0] == postgresql_db.read(read)
