"""What the DAG processor writes, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from airlock_server.rules.parsing import Step
from airlock_server.rules.triggering import DagFacts
from airlock_server.store import schema, tries
from airlock_server.store.errors import OwnedElsewhere
from airlock_server.store.parsed import bundles, dag_versions, errors, files
from airlock_server.store.parsed.files import Parse
from airlock_server.store.runs import dags as known_dags
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask
from airlock_wire.identity import TaskInstanceKey

NOW = datetime(2026, 6, 30, tzinfo=UTC)


def dag(dag_id="d", *tasks, **more):
    return SerializedDag(
        dag_id=dag_id, tasks=[SerializedTask(task_id=name) for name in tasks or ("t",)], relative_file="f.py", **more
    )


class Store:
    """The database, and what a DAG processor does to it."""

    def __init__(self, db):
        self.db = db

    def parse(self, *dags, file="f.py", bundle="b", moment=NOW, **more):
        parse = Parse(bundle_name=bundle, file=file, dags=list(dags), **more)
        return self.db.write(lambda conn: files.write(conn, parse, moment))

    def row(self, dag_id="d"):
        return self.db.read(lambda conn: conn.execute(sa.select(schema.dag).filter_by(dag_id=dag_id)).one_or_none())

    def flags(self, dag_id="d"):
        row = self.row(dag_id)
        return {name for name in ("is_stale", "has_import_errors", "is_paused") if getattr(row, name)}

    def errors(self, bundle=None):
        return {(e.bundle_name, e.file): e.text for e in self.db.read(lambda conn: errors.listed(conn, bundle))}

    def versions(self, dag_id="d"):
        query = sa.select(schema.dag_version.c.number).filter_by(dag_id=dag_id).order_by("number")
        return self.db.read(lambda conn: list(conn.scalars(query)))

    def latest(self, dag_id="d"):
        return self.db.read(lambda conn: dag_versions.latest(conn, dag_id))

    def warnings(self, dag_id="d"):
        return self.db.read(lambda conn: errors.warnings(conn, dag_id))

    def use_latest(self, dag_id="d"):
        """A task instance of the latest version."""
        version = self.latest(dag_id).id

        def write(conn):
            key = TaskInstanceKey(dag_id, "r", "t", -1)
            ti_id = tries.queue_task(conn, key, try_number=1, max_tries=0, conf=None, now=NOW)
            table = schema.task_instance
            conn.execute(sa.update(table).where(table.c.id == ti_id).values(dag_version_id=version))

        self.db.write(write)


@pytest.fixture
def store(db):
    return Store(db)


def test_a_parsed_dag_is_stored_with_what_people_see_of_it(store):
    each = dag(description="words", display_name="The D", tags=["x"], source="text", doc_md="# doc")
    store.parse(each, bundle_version="abc")

    row = store.row()
    assert ("bundle:b", "f.py", "airflow", ["x"], "abc", "words", "The D", "None", NOW) == (
        row.owner, row.relative_fileloc, row.owners, row.tags, row.bundle_version, row.description,
        row.display_name, row.schedule_summary, row.last_parsed_at,
    )  # fmt: skip
    version = store.latest()
    assert (each, 1, "b", "abc") == (version.dag, version.number, version.bundle_name, version.bundle_version)
    assert version == store.db.read(lambda conn: dag_versions.get(conn, version.id))


@pytest.mark.parametrize(
    ("own", "setting", "expected"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
)  # fmt: skip
def test_a_new_dag_is_paused_as_it_says_else_as_the_setting_says(store, own, setting, expected):
    store.parse(dag(is_paused_upon_creation=own), paused=setting)

    assert expected is store.row().is_paused


def test_a_dag_that_comes_back_is_paused_or_not_as_before(store):
    store.parse(dag(), paused=True)
    store.db.write(lambda conn: conn.execute(sa.update(schema.dag).values(is_paused=False)))
    store.parse()
    assert {"is_stale"} == store.flags()

    store.parse(dag(), paused=True)

    assert set() == store.flags()


def test_the_same_definition_makes_no_version_whatever_its_place_and_text(store):
    store.parse(dag("d", "t", "u", line=3, source="one"))
    first = store.latest()
    store.use_latest()
    store.parse(dag("d", "u", "t", line=9, source="two"), moment=NOW + timedelta(1))

    assert [1] == store.versions()
    assert (first.id, "two", 9) == (store.latest().id, store.latest().dag.source, store.latest().dag.line)


def test_a_changed_dag_is_written_in_place_until_something_has_run_with_it(store):
    store.parse(dag("d", "t"))
    first = store.latest().id
    store.parse(dag("d", "t", "u"))
    assert ([1], first, ["t", "u"]) == (
        store.versions(), store.latest().id, [task.task_id for task in store.latest().dag.tasks],
    )  # fmt: skip

    store.use_latest()
    store.parse(dag("d", "v"))

    assert [1, 2] == store.versions()
    kept = store.db.read(lambda conn: dag_versions.get(conn, first))
    assert (["t", "u"], ["v"]) == (
        [task.task_id for task in kept.dag.tasks], [task.task_id for task in store.latest().dag.tasks],
    )  # fmt: skip


def test_a_version_that_only_an_archived_try_had_is_kept_too(store):
    store.parse(dag("d", "t"))
    store.use_latest()
    store.db.write(lambda conn: conn.execute(sa.update(schema.task_instance).values(state="failed")))
    key = TaskInstanceKey("d", "r", "t", -1)
    store.db.write(lambda conn: tries.queue_task(conn, key, try_number=2, max_tries=1, conf=None, now=NOW))

    store.parse(dag("d", "v"))

    assert [1, 2] == store.versions()


def test_a_dag_that_varies_from_parse_to_parse_is_warned_of_until_it_does_not(store):
    store.parse(dag("d", "t1", source="same"))
    assert {} == store.warnings()
    store.parse(dag("d", "t2", source="same"))
    assert [errors.VARIES] == list(store.warnings())
    store.parse(dag("d", "t2", source="same"))
    assert {} == store.warnings()


def test_all_dags_of_a_file_that_fails_are_marked_and_those_of_others_are_not(store):
    store.parse(dag(), dag("e"), paused=False)
    store.parse(dag("x"), file="g.py", paused=False)

    store.parse(error="f.py:1: Broken")

    assert [{"is_stale", "has_import_errors"}] * 2 == [store.flags("d"), store.flags("e")]
    assert (set(), {("b", "f.py"): "f.py:1: Broken"}) == (store.flags("x"), store.errors())


def test_an_import_error_is_replaced_by_the_next_and_removed_by_the_fix(store):
    store.parse(dag(), paused=False)
    store.parse(error="first")
    store.parse(error="second")
    assert {("b", "f.py"): "second"} == store.errors()

    store.parse(dag(), paused=False)

    assert ({}, set()) == (store.errors(), store.flags())


def test_import_errors_and_dags_go_with_their_file_and_those_of_other_bundles_stay(store):
    store.parse(dag(), paused=False)
    store.parse(error="mine", file="g.py")
    store.parse(dag("e"), bundle="other", paused=False)
    store.parse(error="theirs", file="g.py", bundle="other")
    assert {"f.py", "g.py"} == store.db.read(lambda conn: files.names(conn, "b"))

    store.db.write(lambda conn: files.remove(conn, "b", {"f.py", "g.py"}))

    assert ({"is_stale"}, set(), {("other", "g.py"): "theirs"}) == (store.flags(), store.flags("e"), store.errors())
    assert set() == store.db.read(lambda conn: files.names(conn, "b"))


def test_a_dag_id_belongs_to_its_first_bundle_and_the_other_file_is_told(store):
    store.parse(dag(), bundle="first")

    settlement = store.parse(dag(), dag("e"), bundle="second")

    assert (["e"], ["d"]) == (settlement.taken, list(settlement.refused))
    assert "bundle:first" == store.row().owner
    assert "belongs to bundle 'first'" in store.errors()[("second", "f.py")]
    assert "bundle:second" == store.row("e").owner


def test_a_dag_that_the_database_does_not_take_spoils_no_other_of_its_file(postgresql_db):
    # SQLite takes every text.
    store = Store(postgresql_db)
    store.parse(dag("bad", description="a\0b"), dag("good"))

    assert NOW == store.row("good").last_parsed_at
    assert "DAG 'bad' cannot be stored" in store.errors()[("b", "f.py")]
    assert None is store.latest("bad")


def test_processors_that_meet_the_same_new_dag_at_once_agree_on_its_bundle(store):
    with ThreadPoolExecutor(8) as pool:
        settled = list(pool.map(lambda n: store.parse(dag(), bundle=f"b{n}"), range(8)))

    assert [["d"]] == [each.taken for each in settled if each.taken]
    assert [1] == store.versions()


def test_processors_that_parse_the_same_file_at_once_write_one_version(store):
    store.parse(dag())
    store.use_latest()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.parse(dag("d", "other")), range(8)))

    assert [1, 2] == store.versions()


def test_a_run_by_path_does_not_change_what_the_processor_wrote(store):
    store.parse(dag(tags=["x"]), paused=True)

    store.db.write(lambda conn: tries.borrow_dag(conn, "d", "local"))
    store.db.write(lambda conn: known_dags.describe(conn, "d", DagFacts(tags=["y"])))

    assert ("bundle:b", ["x"], True) == (store.row().owner, store.row().tags, store.row().is_paused)


def test_a_dag_that_was_only_run_by_path_goes_to_its_bundle(store):
    store.db.write(lambda conn: tries.borrow_dag(conn, "d", "local"))

    assert ["d"] == store.parse(dag(), paused=True).taken
    assert ("bundle:b", True) == (store.row().owner, store.row().is_paused)


def test_a_dag_of_taskruns_is_not_lent(store):
    store.db.write(lambda conn: tries.claim_dag_for(conn, "d", "kubectl"))

    with pytest.raises(OwnedElsewhere, match="kubectl"):
        store.db.write(lambda conn: tries.borrow_dag(conn, "d", "local"))
    assert "TaskRuns" in store.parse(dag()).refused["d"]


def test_a_bundle_is_active_while_any_processor_renews_it(store, db):
    store.parse(dag(), bundle="gone", paused=False)
    store.parse(dag("e"), bundle="kept", paused=False)
    for bundle in ("gone", "kept"):
        store.parse(error="broken", file="g.py", bundle=bundle)
    db.write(lambda conn: bundles.renew(conn, ["gone", "kept"], NOW))
    db.write(lambda conn: bundles.refreshed(conn, "kept", "v1", NOW))
    later = NOW + timedelta(seconds=100)
    db.write(lambda conn: bundles.renew(conn, ["kept"], later))

    assert [] == db.write(lambda conn: bundles.end(conn, later, 100.0))
    assert ["gone"] == db.write(lambda conn: bundles.end(conn, later, 99.0))
    assert [] == db.write(lambda conn: bundles.end(conn, later, 99.0))
    assert ({"kept": "v1"}, {"is_stale"}, set()) == (db.read(bundles.active), store.flags("d"), store.flags("e"))
    assert {("kept", "g.py"): "broken"} == store.errors()


def test_the_dags_of_a_bundle_that_are_not_stale_are_listed_with_their_last_parse(store, db):
    store.parse(dag(), dag("e"), paused=False)
    db.write(lambda conn: files.end(conn, ["e"]))

    assert [("d", "f.py", NOW)] == [
        (fact.dag_id, fact.file, fact.last_parsed_at) for fact in db.read(lambda conn: files.parsed(conn, "b"))
    ]


def test_the_step_that_a_definition_makes_is_told(store, db):
    steps = [
        db.write(lambda conn, each=each: _claimed(conn) or dag_versions.write(conn, each, "b", None, NOW).step)
        for each in (dag("d", "t"), dag("d", "t"), dag("d", "u"))
    ]
    assert [Step.ADD, Step.SAME, Step.REPLACE] == steps


def _claimed(conn):
    tries.claim_dag(conn, "d", "b")
