"""XComs by a class of the author's (`[core] xcom_backend`): it decides what is kept, and gets it back."""

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BACKEND = """
import json, uuid
from pathlib import Path
from airflow.sdk.bases.xcom import BaseXCom

FOLDER = Path(__file__).parent / "kept"

class Files(BaseXCom):
    @staticmethod
    def serialize_value(value, *, key=None, task_id=None, dag_id=None, run_id=None, map_index=None):
        FOLDER.mkdir(exist_ok=True)
        name = f"{task_id}-{key}-{map_index}-{uuid.uuid4().hex}"
        (FOLDER / name).write_text(json.dumps(value))
        return BaseXCom.serialize_value("file:" + name)

    @staticmethod
    def deserialize_value(result):
        name = BaseXCom.deserialize_value(result).removeprefix("file:")
        return json.loads((FOLDER / name).read_text())

    @classmethod
    def purge(cls, xcom):
        kept = FOLDER / xcom.value.removeprefix("file:")
        with open(FOLDER.parent / "purged", "a") as note:
            print(kept.name.rpartition("-")[0], json.loads(kept.read_text()), file=note)
        kept.unlink()

class Bytes(BaseXCom):
    @staticmethod
    def serialize_value(value, **where):
        return b"no JSON"
"""
DAG = """
from airlock.sdk import DAG, task

with DAG("kept"):

    @task(retries=1, retry_delay=0.1)
    def one(ti):
        ti.xcom_push("note", f"try {ti.try_number}")
        if ti.try_number == 1:
            raise RuntimeError("once")
        return [1, 2]

    @task
    def double(x):
        return x * 2

    @task(multiple_outputs=True)
    def all_of_it(values, ti):
        return {"sum": sum(values), "note": ti.xcom_pull("one", key="note"), "pulled": ti.xcom_pull("double")}

    all_of_it(double.expand(x=one()))
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "backends.py").write_text(BACKEND)
    (tmp_path / "kept_dag.py").write_text(DAG)

    def start(name):
        return subprocess.run(
            [sys.executable, "-m", "airlock_server", "dags", "test", "kept_dag.py",
             "--env", f"AIRFLOW__CORE__XCOM_BACKEND={name}"],
            cwd=tmp_path, env={**os.environ, "AIRLOCK_HOME": str(tmp_path / "home")},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return start


def test_what_tasks_return_push_and_map_over_goes_through_the_class(run, tmp_path):
    done = run("backends.Files")
    kept = sorted(path.name.rsplit("-", 1)[0] for path in (tmp_path / "kept").iterdir())

    assert 0 == done.returncode, done.stdout + done.stderr
    assert '"file:all_of_it-return_value--1-' in done.stdout, "the server knows no more than where the value is"
    assert [
        "all_of_it-note--1",
        "all_of_it-pulled--1",
        "all_of_it-return_value--1",
        "all_of_it-sum--1",
        "double-return_value-0",
        "double-return_value-1",
        "one-note--1",
        "one-return_value--1",
    ] == kept, "what the first try pushed is purged before the second begins"
    assert ["one-note--1 try 1"] == (tmp_path / "purged").read_text().splitlines()
    [result] = (tmp_path / "kept").glob("all_of_it-return_value*")
    assert '{"sum": 6, "note": "try 2", "pulled": [2, 4]}' == result.read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("backends.Bytes", "as Bytes keeps it, holds a bytes"),
        ("backends.Missing", "the XCom backend 'backends.Missing' cannot be imported"),
        ("backends.Path", "the XCom backend 'backends.Path' is not a subclass of BaseXCom"),
    ],
)
def test_a_class_that_cannot_do_it_fails_the_task_and_is_named(run, name, said):
    done = run(name)

    assert 1 == done.returncode, done.stderr
    assert said in done.stdout
