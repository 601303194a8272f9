"""A TaskRun's time limit, which our sidecar holds Airflow's own runner to: from the runner's word that the task begins."""

import pytest

from airlock_wire.record import Reason

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("task_id", ["templated", "untemplated"])
def test_a_task_over_its_limit_is_stopped_whether_or_not_it_has_fields_to_render(pod, api, task_id):
    """Airflow's runner sends the rendered fields of a task only if there are fields."""
    ended = pod.run(task_id, limit=3.0)
    times = ended.record.timeline

    assert (Reason.TIMED_OUT, ["failed"]) == (ended.record.reason, api.states()), ended.text()
    assert (task_id == "templated") == bool(api.bodies("/rtif"))
    assert times["exited"] - times["started"] < 60


def test_a_slow_import_of_the_dag_file_is_not_the_tasks_time(pod, api):
    ended = pod.run("quick", file="slow_import.py", dag_id="slow_import", limit=4.0)

    assert (Reason.SUCCEEDED, ["success"]) == (ended.record.reason, api.states()), ended.text()
