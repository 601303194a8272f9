"""Our own runner in a real Airflow, behind our sidecar and behind Airflow's supervisor: both are told the same."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["runner_outcomes", "behind_outcomes"], ids=["our sidecar", "their supervisor"])
def dag_id(request):
    return request.param


def test_every_task_comes_to_its_state(ran, dag_id):
    rows = ran.rows("SELECT task_id, state, try_number FROM task_instance WHERE dag_id = ?", dag_id)

    assert {
        "succeed": ("success", 1),
        "fail": ("failed", 1),
        "retry": ("success", 2),
        "skip": ("skipped", 1),
        "lookups": ("success", 1),
        "keeps": ("success", 1),
        "finds": ("success", 1),
    } == {row["task_id"]: (row["state"], row["try_number"]) for row in rows}


def test_the_try_before_a_retry_is_in_the_history(ran, dag_id):
    query = "SELECT task_id, try_number, state FROM task_instance_history WHERE dag_id = ?"

    assert [{"task_id": "retry", "try_number": 1, "state": "failed"}] == ran.rows(query, dag_id)


def test_what_tasks_return_is_in_the_database(ran, dag_id):
    rows = ran.rows("SELECT task_id, key, value FROM xcom WHERE dag_id = ?", dag_id)

    assert {
        ("succeed", "return_value"): {"answer": 42},
        ("retry", "return_value"): "the second time",
        ("lookups", "return_value"): ["hello", "db.example", True],
        ("keeps", "return_value"): [7, "none", 41, "none"],
        ("finds", "return_value"): [7, "none", {"rows": 3}],
    } == {(row["task_id"], row["key"]): json.loads(row["value"]) for row in rows}


def test_what_tasks_say_of_their_outlets_is_an_event(ran, dag_id):
    query = "SELECT extra, source_task_id FROM asset_event WHERE source_dag_id = ?"

    assert [{"by": "alias"}, {"rows": 3}] == sorted(
        (json.loads(row["extra"]) for row in ran.rows(query, dag_id)), key=lambda extra: sorted(extra)
    )


def test_what_tasks_print_is_in_airflows_log_folder_and_masked(ran, dag_id):
    logs = ran.logs(dag_id)
    said = {path: [line["event"] for line in lines if line["logger"] == "task.stdout"] for path, lines in logs.items()}

    assert ["it is ours"] == said["run_id=once/task_id=succeed/attempt=1.log"]
    assert ["the password is ***"] == said["run_id=once/task_id=lookups/attempt=1.log"]


def test_airflows_own_runner_ran_none_of_it(ran, dag_id):
    assert "Airflow's runner ran this" not in json.dumps(ran.logs(dag_id))
