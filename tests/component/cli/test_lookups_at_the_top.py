"""DAG files that read variables and connections while they are imported, as many written for Airflow do."""

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

FILE = """
from airflow.exceptions import AirflowNotFoundException
from airflow.hooks.base import BaseHook
from airflow.models import Variable
from airflow.sdk import DAG, task
from airflow.timetables.base import DataInterval, Timetable

NAMES = Variable.get("names", default_var=["one"], deserialize_json=True)
try:
    HOST = BaseHook.get_connection("warehouse").host
except AirflowNotFoundException:
    HOST = "nowhere"

class Own(Timetable):
    def infer_manual_data_interval(self, *, run_after):
        return DataInterval.exact(run_after)

def over(context):
    print("over:", NAMES, HOST)

with DAG("reads", schedule=Own(), on_success_callback=over):
    for name in NAMES:
        @task(task_id=name)
        def work():
            return HOST
        work()
"""


@pytest.fixture
def run(airlock, tmp_path):
    (tmp_path / "reads.py").write_text(FILE)
    return airlock


def test_what_is_not_set_has_the_files_default(run):
    done = run("dags", "test", "reads.py", "reads", "2026-01-02")

    assert {"one": ["success", "1", '"nowhere"']} == table(done.stdout), done.stderr


def test_a_file_a_task_a_timetable_and_a_callback_see_what_is_set(run):
    run("variables", "set", "names", '["one", "two"]')
    run("connections", "set", "warehouse", "--type", "postgres", "--host", "db")
    done = run("dags", "test", "reads.py", "reads", "2026-01-02")

    assert {"one": ["success", "1", '"db"'], "two": ["success", "1", '"db"']} == table(done.stdout), done.stderr
    assert "over: ['one', 'two'] db" in done.stdout
    assert "0 of them with import errors" in run("dags", "list-import-errors", ".").stdout
    assert "DAG run" not in run("tasks", "render", "reads.py", "two").stderr
