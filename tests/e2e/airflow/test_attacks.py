"""What user code in Airflow's runner asks of a real Airflow past its task, with nothing granted to it."""

import json

import pytest
from kube.taskruns import reason

pytestmark = pytest.mark.timeout(300)


def test_no_deferral_of_a_tasks_own_making_is_run_by_the_triggerer(airflow):
    airflow.trigger("attack_deferral", "deferral")

    assert "success" == airflow.ended("attack_deferral", "deferral", 120)
    assert "went on" == airflow.result("attack_deferral", "deferral", "defers")
    assert [] == airflow.rows("SELECT classpath FROM trigger WHERE classpath NOT LIKE 'airflow.providers.%'")
    log = airflow.team("logs", f"{airflow.taskruns('attack_deferral')[0]['metadata']['name']}-1", "-c", "sidecar")
    answers = [json.loads(line)["event"] for line in log.splitlines() if '"answer: ' in line]
    assert 4 == len(answers)
    assert [] == [answer for answer in answers if "deferrals" not in answer]
    found = airflow.team("exec", "airflow", "-c", "triggerer", "--", "ls", "/airflow")
    assert "attacked" not in found.split()


def test_a_success_that_claims_another_dags_asset_runs_nothing(airflow):
    airflow.trigger("attack_asset", "asset")

    assert "failed" == airflow.ended("attack_asset", "asset", 120)
    assert ["Crashed"] == [reason(run) for run in airflow.ended_taskruns("attack_asset")]
    assert [] == airflow.rows("SELECT run_id FROM dag_run WHERE dag_id = 'attack_victim'")
    assert [] == airflow.rows("SELECT id FROM asset_event")
