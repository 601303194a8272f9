"""The DAG processor's loop, with a parser that says what the test wants."""

import threading
import time

import pytest
import sqlalchemy as sa

from airlock_server.dag_processor import processor as module
from airlock_server.dag_processor.bundles import Bundle
from airlock_server.dag_processor.processor import Processor
from airlock_server.dag_settings import CoreSettings
from airlock_server.launching.local.executor import CannotLaunch
from airlock_server.launching.local.parsing import FileResult
from airlock_server.settings import DagProcessorSettings
from airlock_server.store import schema
from airlock_server.store.errors import Unavailable
from airlock_server.store.parsed import errors
from airlock_wire.dags.dag import SerializedDag
from airlock_wire.dags.task import SerializedTask


def dag(dag_id, file, *tasks):
    return SerializedDag(
        dag_id=dag_id, tasks=[SerializedTask(task_id=name) for name in tasks or ("t",)], relative_file=file
    )


class Played:
    """A parser. ``answers`` are what each file says, one after the other, the last for ever; an exception is raised."""

    def __init__(self):
        self.answers, self.parsed, self.at_once, self.most = {}, [], 0, 0
        self._lock = threading.Lock()

    def parse(self, bundle, file):
        with self._lock:
            self.parsed.append(file)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            answers = self.answers.get(file) or [FileResult(dags=[dag(file.removesuffix(".py"), file)])]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        time.sleep(0.01)
        with self._lock:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def stop(self):
        pass


class Loop:
    def __init__(self, db, folder):
        self.db, self.folder, self.parser = db, folder, Played()

    def files(self, *names):
        for name in names:
            (self.folder / name).write_text("import airlock  # dag")

    def run(self, passes=1, **settings):
        settings = {"min_file_process_interval": 0.05, "bundle_refresh_check_interval": 0.05} | settings
        processor = Processor(
            self.db, self.parser, [Bundle(name="b", path=self.folder)],
            core=CoreSettings(), settings=DagProcessorSettings(**settings), passes=passes,
        )  # fmt: skip
        # A loop that never ends is a failure and not a hang.
        guard = threading.Timer(60, processor.stop)
        guard.start()
        processor.run()
        assert guard.is_alive(), "the loop did not end by itself"
        guard.cancel()

    def states(self):
        rows = self.db.read(lambda conn: conn.execute(sa.select(schema.dag)).all())
        return {row.dag_id: "stale" if row.is_stale else "active" for row in rows}

    def errors(self):
        return {each.file: each.text for each in self.db.read(errors.listed)}


@pytest.fixture
def loop(db, tmp_path):
    folder = tmp_path / "dags"
    folder.mkdir()
    return Loop(db, folder)


def test_no_more_files_are_parsed_at_once_than_the_setting_says(loop):
    loop.files(*(f"f{n}.py" for n in range(12)))
    loop.run(parsing_processes=3)

    assert (12, 3) == (len(loop.parser.parsed), loop.parser.most)


def test_each_file_is_parsed_as_often_as_asked(loop):
    loop.files("a.py", "b.py")
    loop.run(passes=3)

    assert ["a.py"] * 3 + ["b.py"] * 3 == sorted(loop.parser.parsed)


def test_a_file_that_cannot_be_launched_is_tried_again_and_has_no_import_error(loop, monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_FIRST_SECONDS", 0.01)
    loop.files("a.py", "b.py")
    loop.parser.answers["a.py"] = [
        CannotLaunch("no memory"),
        CannotLaunch("no memory"),
        FileResult(dags=[dag("a", "a.py")]),
    ]
    loop.run()

    assert (3, {"a": "active", "b": "active"}, {}) == (
        loop.parser.parsed.count("a.py"), loop.states(), loop.errors(),
    )  # fmt: skip


def test_a_parser_that_breaks_takes_no_place_for_ever(loop, monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_FIRST_SECONDS", 0.01)
    loop.files("a.py")
    loop.parser.answers["a.py"] = [RuntimeError("a bug"), FileResult(dags=[dag("a", "a.py")])]
    loop.run(parsing_processes=1)

    assert {"a": "active"} == loop.states()


def test_what_could_not_be_stored_is_parsed_again(loop, monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_FIRST_SECONDS", 0.01)
    loop.files("a.py")
    write, refusals = loop.db.write, [1, 2]

    def refusing(work):
        if getattr(work, "func", work).__name__ == "_store" and refusals:
            refusals.pop()
            raise Unavailable("the database is away")
        return write(work)

    monkeypatch.setattr(loop.db, "write", refusing)
    loop.run()

    assert ([], 3, {"a": "active"}) == (refusals, len(loop.parser.parsed), loop.states())


def test_a_file_that_went_while_it_was_parsed_leaves_nothing(loop):
    loop.files("a.py", "b.py")

    def goes():
        (loop.folder / "a.py").unlink()
        time.sleep(0.5)
        return FileResult(error="a.py:1: LoadError: no such file")

    loop.parser.answers["a.py"] = [goes]
    loop.run(passes=20)

    assert ({"b": "active"}, {}) == (loop.states(), loop.errors())


def test_a_dag_that_its_file_is_parsed_without_becomes_stale(loop, monkeypatch):
    monkeypatch.setattr(module, "_CLEAN_SECONDS", 0.01)
    loop.files("a.py")
    loop.parser.answers["a.py"] = [FileResult(dags=[dag("a", "a.py")]), FileResult(late=True)]
    loop.run(passes=8, stale_dag_threshold=0.1)

    assert ({"a": "stale"}, {}) == (loop.states(), loop.errors())


def test_a_file_without_a_dag_is_no_error_and_its_dags_are_stale(loop):
    loop.files("a.py")
    loop.parser.answers["a.py"] = [
        FileResult(dags=[dag("a", "a.py")]), FileResult(error="a.py:1: NoDag: none", empty=True),
    ]  # fmt: skip
    loop.run(passes=2)

    assert ({"a": "stale"}, {}) == (loop.states(), loop.errors())


@pytest.mark.parametrize(
    ("level", "warned", "refused"), [("warning", True, False), ("error", False, True), ("off", False, False)]
)
def test_a_dag_that_varies_is_warned_of_or_refused_as_the_setting_says(loop, level, warned, refused):
    loop.files("a.py")
    loop.parser.answers["a.py"] = [FileResult(dags=[dag("a", "a.py", f"t{n}")]) for n in range(2)]
    loop.run(passes=2, dag_version_inflation_check_level=level)

    kinds = [errors.VARIES] if warned else []
    assert kinds == list(loop.db.read(lambda conn: errors.warnings(conn, "a")))
    assert refused is ("varies from parse to parse" in loop.errors().get("a.py", ""))
