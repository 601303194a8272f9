"""Questions to author's timetables, by an executor whose launches a warm parent forks."""

import os
from datetime import UTC, datetime

import pytest

from airlock_server.installation import Installation
from airlock_server.launching.local.executor import Executor
from airlock_server.launching.local.timetables import TimetableSource, ask
from airlock_server.launching.local.warm import Pool
from airlock_wire.protocol.timetables import Describe, ManualRun

pytestmark = pytest.mark.slow

CODE = """
import os
from airflow.sdk import DAG
from airflow.timetables.base import DataInterval, Timetable

class Own(Timetable):
    def infer_manual_data_interval(self, *, run_after):
        if run_after.year == 2000:
            os._exit(3)
        return DataInterval(run_after, run_after)

    @property
    def summary(self):
        return str(os.getppid())

with DAG("d", schedule=Own()):
    pass
"""
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def asks(tmp_path):
    root = tmp_path / "bundle"
    root.mkdir()
    (root / "d.py").write_text(CODE)
    environ = {"PATH": os.environ["PATH"], "AIRLOCK_HOME": str(tmp_path / "home")}
    pool = Pool(1, environ, 512 * 1024 * 1024)
    with Installation(environ) as installation:
        executor = Executor(installation, root, environ, lambda _: None, pool=pool)
        source = TimetableSource(bundle="b", file="d.py", dag_id="d", seconds=30)
        yield lambda *questions: ask(executor, source, list(questions))
    pool.close()


def test_several_questions_are_answered_by_one_process_and_the_next_by_another(asks):
    first = asks(ManualRun(run_after=NOW), Describe())
    second = asks(ManualRun(run_after=NOW), Describe())

    assert [(NOW, ""), (None, "")] == [(each.run and each.run.run_after, each.error) for each in first]
    # The summary is the launcher's number: each launch has its own.
    assert first[1].description.summary != second[1].description.summary


def test_a_timetable_that_ends_its_process_is_an_error_and_the_next_one_is_answered(asks):
    lost = asks(ManualRun(run_after=datetime(2000, 1, 1, tzinfo=UTC)), Describe())
    after = asks(Describe())

    assert ["d.py: TimetableCrashed"] * 2 == [":".join(each.error.split(":")[:2]) for each in lost]
    assert "" == after[0].error
