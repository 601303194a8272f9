"""What the DAG processor stores of the assets that parsed DAGs name, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from airlock_server.rules.assets import AssetKey
from airlock_server.store import schema
from airlock_server.store.assets import registry
from airlock_server.store.parsed import errors, files
from airlock_server.store.parsed.files import Parse
from airlock_wire.assets import DeclaredAsset
from airlock_wire.dags.conditions import AllOf, OneAsset
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.schedule import Assets
from airlock_wire.dags.task import SerializedTask
from airlock_wire.dags.triggers import SerializedWatcher

NOW = datetime(2026, 6, 30, tzinfo=UTC)
A, B, ALIAS = DeclaredAsset(name="a", uri="s3://a"), DeclaredAsset(name="b"), DeclaredAsset(type="AssetAlias", name="l")
WATCHER = SerializedWatcher(asset=A, name="w", classpath="own.Trigger", kwargs={"x": 1})


def builtins(*assets):
    return [{"type": each.type, "name": each.name, "uri": each.uri, "group": "asset", "extra": {}} for each in assets]


def dag(dag_id="d", schedule=(), inlets=(), outlets=(), **more):
    if schedule:
        more["schedule"] = Assets(condition=AllOf(conditions=[OneAsset(asset=each) for each in schedule]))
    tasks = [SerializedTask(task_id="t", inlets=builtins(*inlets), outlets=builtins(*outlets))]
    return SerializedDag(dag_id=dag_id, tasks=tasks, relative_file="f.py", **more)


class Store:
    def __init__(self, db):
        self.db = db

    def parse(self, *dags, file="f.py", **more):
        parse = Parse(bundle_name="b", file=file, dags=list(dags), **more)
        return self.db.write(lambda conn: files.write(conn, parse, NOW))

    def rows(self, table, *columns):
        query = sa.select(*(table.c[name] for name in columns)).order_by(*table.primary_key.columns)
        return [tuple(row) for row in self.db.read(lambda conn: conn.execute(query).all())]

    def assets(self):
        """The assets by name, and whether each is active."""
        return dict(self.rows(schema.asset, "name", "active"))

    def named(self):
        return self.rows(schema.dag_asset, "dag_id", "use", "task_id", "name")

    def add_event(self, name):
        def add(conn):
            number = conn.scalar(sa.select(schema.asset.c.id).where(schema.asset.c.name == name))
            conn.execute(
                sa.insert(schema.asset_event).values(
                    asset_id=number, timestamp=NOW, extra={}, source_dag_id="d", source_run_id="r", source_task_id="t",
                    source_map_index=-1,
                )
            )  # fmt: skip

        self.db.write(add)


@pytest.fixture
def store(db):
    return Store(db)


def test_a_parsed_dags_assets_aliases_and_watchers_are_stored(store):
    store.parse(dag(schedule=[A, ALIAS], inlets=[B], outlets=[B, A], watchers=[WATCHER]))

    assert {"a": True, "b": True} == store.assets()
    assert [("l",)] == store.rows(schema.asset_alias, "name")
    assert [
        ("d", "schedule", "", "a"), ("d", "schedule", "", "l"),
        ("d", "inlet", "t", "b"), ("d", "outlet", "t", "b"), ("d", "outlet", "t", "a"),
    ] == store.named()  # fmt: skip
    assert [("d", "a", "s3://a", "w", "own.Trigger", {"x": 1})] == store.rows(
        schema.asset_watcher, "dag_id", "asset_name", "asset_uri", "name", "classpath", "kwargs"
    )
    # A name fills in for a URI.
    assert AssetKey("b", "b") == store.db.read(lambda conn: registry.active(conn, name="b")).key


@pytest.mark.parametrize(
    "go",
    [
        lambda store: store.parse(dag()),
        lambda store: store.parse(),
        lambda store: store.db.write(lambda conn: files.remove(conn, "b", ["f.py"])),
        lambda store: store.db.write(lambda conn: files.end(conn, ["d"])),
    ],
    ids=["no longer named", "dag gone", "file gone", "dag ended"],
)
def test_they_are_removed_with_the_dag_that_named_them_last(store, go):
    store.parse(dag("other", inlets=[B]), file="other.py")
    store.parse(dag(schedule=[A, ALIAS], outlets=[B], watchers=[WATCHER]))
    go(store)

    assert {"b": True} == store.assets()
    assert [("other", "inlet", "t", "b")] == store.named()
    assert [] == store.rows(schema.asset_alias, "name")
    assert [] == store.rows(schema.asset_watcher, "name")


def test_an_asset_with_events_stays_and_is_not_active_until_a_dag_names_it_again(store):
    store.parse(dag(outlets=[A]))
    store.add_event("a")
    store.parse()
    assert {"a": False} == store.assets()

    store.parse(dag(outlets=[A]))

    assert {"a": True} == store.assets()


def test_an_import_error_leaves_what_the_file_named(store):
    store.parse(dag(schedule=[A]))
    store.parse(error="f.py:1: NameError")

    assert ({"a": True}, 1) == (store.assets(), len(store.named()))


def test_of_two_dags_that_give_one_name_two_uris_the_second_has_a_warning_and_an_inactive_asset(store):
    store.parse(dag("first", outlets=[A]), file="first.py")
    store.parse(dag(outlets=[DeclaredAsset(name="a", uri="s3://other")]))
    warnings = store.db.read(lambda conn: errors.warnings(conn, "d"))

    assert [("s3://a", True), ("s3://other", False)] == store.rows(schema.asset, "uri", "active")
    assert "asset 'a' (s3://other) is not active: an asset of another DAG has its name" in warnings[errors.CONFLICT]

    store.parse(file="first.py")
    store.parse(dag(outlets=[DeclaredAsset(name="a", uri="s3://other")]))

    assert [("s3://other", True)] == store.rows(schema.asset, "uri", "active")
    assert {} == store.db.read(lambda conn: errors.warnings(conn, "d"))


def test_files_that_are_written_at_the_same_time_share_an_asset(store):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.parse(dag(f"d{n}", outlets=[A, B]), file=f"{n}.py"), range(8)))

    assert {"a": True, "b": True} == store.assets()
    assert (16, []) == (len(store.named()), store.db.read(errors.listed))


def test_a_parse_that_changes_nothing_writes_nothing_about_assets(store):
    each = dag(schedule=[A], outlets=[B], watchers=[WATCHER])
    store.parse(each)
    statements = []

    def note(conn, cursor, statement, *_):
        statements.append(statement)

    def again(conn):
        sa.event.listen(conn, "before_cursor_execute", note)
        files.write(conn, Parse(bundle_name="b", file="f.py", dags=[each]), NOW)

    store.db.write(again)

    writes = [each for each in statements if each.lstrip().split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert [] == [each for each in writes if "asset" in each and "dag_warning" not in each]
