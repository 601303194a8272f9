"""Data survives every migration, up and down, on both databases."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from airlock_server.store import schema, tries
from airlock_server.store.engine.database import open_engine
from airlock_server.store.engine.migrate import MIGRATIONS
from airlock_server.store.run_keys import key_of
from airlock_wire import ids
from airlock_wire.identity import TaskInstanceKey

MOMENT = "'2026-01-01 00:00:00'"
REVISIONS = ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008"]


class Old:
    """A database at an older revision."""

    def __init__(self, url):
        self._engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def go(self, revision, down=False):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._engine.begin() as conn:
            config.attributes["connection"] = conn
            (command.downgrade if down else command.upgrade)(config, revision)

    def run(self, *statements):
        with self._engine.begin() as conn:
            for statement in statements:
                conn.execute(sa.text(statement))

    def ask(self, query):
        with self._engine.begin() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query))]

    def add(self, revision, run_id="r", namespace=None):
        """Adds a DAG with a run, a task instance, its history, an XCom and a variable."""
        owner = "bundle_name" if revision == "0001" else "owner"
        value = "mine" if revision == "0001" else "bundle:mine"
        place, named = ("", "") if namespace is None else (", namespace", f", '{namespace}'")
        instance = "dag_id, run_id, task_id, map_index, try_number, max_tries, state, dag_version_id"
        self.run(
            f"INSERT INTO dag (dag_id, {owner}, claimed_at) VALUES ('d', '{value}', {MOMENT}) ON CONFLICT DO NOTHING",
            f"INSERT INTO dag_run (dag_id, run_id, run_type, state, run_after, conf{place}) "
            f"VALUES ('d', '{run_id}', 'manual', 'running', {MOMENT}, '{{}}'{named})",
            f"INSERT INTO task_instance (id, {instance}) VALUES ('id-{run_id}', 'd', '{run_id}', 't', -1, 2, 1, 'queued', 'v')",
            f"INSERT INTO task_instance_history (id, archived_at, {instance}) "
            f"VALUES ('old-{run_id}', {MOMENT}, 'd', '{run_id}', 't', -1, 1, 1, 'failed', 'v')",
            "INSERT INTO xcom (dag_id, run_id, task_id, map_index, key, value, dag_result, written_at) "
            f"VALUES ('d', '{run_id}', 't', -1, 'k', CAST('1' AS {self.bytes}), {self.false}, {MOMENT})",
            f"INSERT INTO state_write (ti_id, to_state, at, by) VALUES ('id-{run_id}', 'queued', {MOMENT}, 'owner')",
        )

    def add_assets(self):
        """Adds an asset with an alias, an event, a value and a task instance that may use it."""
        true = "true" if self._engine.dialect.name == "postgresql" else "1"
        self.run(
            'INSERT INTO asset (id, digest, name, uri, "group", extra, active, declared_by, declared_at) '
            f"VALUES (1, 'x', 'n', 'u', 'asset', '{{}}', {true}, '/d', {MOMENT})",
            "INSERT INTO asset_alias (id, name, \"group\") VALUES (1, 'l', 'asset')",
            "INSERT INTO asset_of_alias (alias_id, asset_id) VALUES (1, 1)",
            f"INSERT INTO asset_event (id, asset_id, timestamp, extra) VALUES (1, 1, {MOMENT}, '{{}}')",
            "INSERT INTO alias_of_event (event_id, alias_id) VALUES (1, 1)",
            "INSERT INTO asset_state (asset_id, key, value, updated_at, dag_id, run_id, task_id, map_index) "
            f"VALUES (1, 'k', CAST('1' AS {self.bytes}), {MOMENT}, 'd', 'r', 't', -1)",
            "INSERT INTO declared_asset (dag_id, run_id, task_id, map_index, position, use, type, name, uri) "
            "VALUES ('d', 'r', 't', -1, 0, 'inlet', 'Asset', 'n', 'u')",
        )

    def add_parsed(self):
        """Adds what the DAG processor writes: a bundle, a version of the DAG, an import error and a warning."""
        true = "true" if self._engine.dialect.name == "postgresql" else "1"
        self.run(
            f"UPDATE dag SET last_parsed_at = {MOMENT}, is_stale = {true}, schedule_summary = '@daily'",
            f"INSERT INTO dag_bundle (name, active, seen_at) VALUES ('mine', {true}, {MOMENT})",
            "INSERT INTO dag_version (id, dag_id, number, content_hash, data, source, bundle_name, created_at, updated_at) "
            f"VALUES ('v', 'd', 1, 'h', CAST('{{}}' AS {self.bytes}), '', 'mine', {MOMENT}, {MOMENT})",
            "INSERT INTO import_error (bundle_name, relative_fileloc, stacktrace, at) "
            f"VALUES ('mine', 'f.py', 'broken', {MOMENT})",
            f"INSERT INTO dag_warning (dag_id, kind, message, at) VALUES ('d', 'k', 'm', {MOMENT})",
        )

    @property
    def bytes(self):
        return "BYTEA" if self._engine.dialect.name == "postgresql" else "BLOB"

    @property
    def false(self):
        return "false" if self._engine.dialect.name == "postgresql" else "0"

    def close(self):
        self._engine.dispose()


@pytest.fixture
def old(empty_url):
    database = Old(empty_url)
    yield database
    database.close()


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_an_older_airlock_stored_is_used_by_this_one(old, empty_url, revision):
    old.go(revision)
    old.add(revision)
    with open_engine(empty_url) as db:
        outcome = db.read(lambda conn: tries.outcome(conn, "id-r"))
        assert ("queued", 2, "r") == (outcome.state.value, outcome.try_number, outcome.key.run_id)
        assert "failed" == db.read(lambda conn: tries.outcome(conn, "old-r")).state.value
        db.write(lambda conn: tries.claim_dag(conn, "d", "mine"))
        assert db.write(lambda conn: tries.close(conn, "id-r", "failed", "over"))
        assert [b"1"] == db.read(lambda conn: conn.scalars(sa.select(schema.xcom.c.value)).all())


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_this_airlock_stored_is_there_after_its_undoing(old, empty_url, revision):
    old.go("0009")
    old.add("0009")
    old.add_assets()
    old.add_parsed()
    old.go(revision, down=True)
    assert [("mine",)] == old.ask(
        "SELECT bundle_name FROM dag" if revision == "0001" else "SELECT substr(owner, 8) FROM dag"
    )
    assert [("id-r", "r", "queued")] == old.ask("SELECT id, run_id, state FROM task_instance")
    assert [("r", "k")] == old.ask("SELECT run_id, key FROM xcom")
    open_engine(empty_url).close()
    assert [("bundle:mine",)] == old.ask("SELECT owner FROM dag")
    assert (revision >= "0006") is bool(old.ask("SELECT name FROM asset"))


def test_the_runs_of_a_namespace_are_found_after_the_upgrade_and_after_its_undoing(old, empty_url):
    names = "SELECT run_id FROM dag_run UNION ALL SELECT run_id FROM xcom ORDER BY 1"
    old.go("0002")
    old.add("0002", "theirs", "team-a")
    old.add("0002", "ours")
    open_engine(empty_url).close()
    assert [("ours",), ("ours",), ("team-a/theirs",), ("team-a/theirs",)] == old.ask(names)
    old.go("0002", down=True)
    assert [("ours",), ("ours",), ("theirs",), ("theirs",)] == old.ask(names)


def test_the_longest_name_of_a_run_has_room(empty_url):
    namespace, run_key = "n" * 63, key_of("n" * 63, "r" * ids.MAX_ID_BYTES)

    def write(conn):
        tries.claim_dag_for(conn, "d", "kubectl")
        key = TaskInstanceKey("d", run_key, "t", -1)
        return tries.queue_task(
            conn, key, try_number=1, max_tries=0, conf=None, now=datetime.now(UTC), namespace=namespace
        )

    with open_engine(empty_url) as db:
        ti_id = db.write(write)
        assert run_key == db.read(lambda conn: tries.outcome(conn, ti_id)).key.run_id
