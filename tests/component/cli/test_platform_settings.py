"""Settings of the server that shape DAGs, in `airlock dags test`: what a DAG file and a run get of them."""

from functools import partial

import pytest
from component.cli.final_table import table

pytestmark = pytest.mark.slow

FILE = """
from airflow.sdk import DAG, BaseSensorOperator, task
from airflow.sdk.configuration import conf

with DAG("shaped", params={"n": 1}) as dag:

    @task
    def fails():
        raise RuntimeError("as it should")

    @task(retries=0)
    def says(task, params):
        return [task.retries, task.owner, dag.max_active_runs, params["n"], conf.getint("core", "default_task_retries")]

    fails() >> says.override(trigger_rule="all_done")()
"""
RETRIES = {"AIRLOCK__CORE__DEFAULT_TASK_RETRIES": "1", "AIRLOCK__CORE__DEFAULT_TASK_RETRY_DELAY": "0"}


@pytest.fixture
def run(airlock, tmp_path):
    (tmp_path / "shaped.py").write_text(FILE)
    return partial(airlock, "dags", "test", "shaped.py")


def test_what_the_author_does_not_say_is_the_servers_setting(run):
    done = run(
        "-c", '{"n": 2}', **RETRIES, AIRLOCK__OPERATORS__DEFAULT_OWNER="data", AIRLOCK__CORE__MAX_ACTIVE_RUNS_PER_DAG="3",
        AIRLOCK__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS="false",
    )  # fmt: skip

    rows = table(done.stdout)
    assert ["failed", "2"] == rows["fails"][:2], done.stdout + done.stderr
    assert ["success", "1", '[0,"data",3,1,1]'] == rows["says"]


def test_a_variable_of_the_command_wins(run):
    done = run("--env", "AIRFLOW__CORE__DEFAULT_TASK_RETRIES=0", **RETRIES)

    assert ["failed", "1"] == table(done.stdout)["fails"][:2], done.stdout + done.stderr


def test_a_wrong_variable_of_the_command_is_an_error_with_its_fix(run):
    done = run("--env", "AIRFLOW__CORE__DEFAULT_TASK_RETRIES=many")

    assert 2 == done.returncode, done.stdout
    assert "[core] default_task_retries must be a whole number, not 'many'" in done.stderr
    assert "correct AIRFLOW__CORE__DEFAULT_TASK_RETRIES" in done.stderr
    assert "shaped.py:" in done.stderr
