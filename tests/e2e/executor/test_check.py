"""What `airlock-executor check` says in the scheduler's container of a real Airflow."""

import pytest

pytestmark = pytest.mark.timeout(300)


def test_the_check_finds_nothing_that_keeps_tasks_from_running_and_names_what_opens_too_much(dropin):
    text = dropin.team("exec", "airflow", "-c", "scheduler", "--", "airlock-executor", "check")

    # This account has the rights of KubernetesExecutor too, which runs beside ours.
    assert "may create pods" in text
    assert {"warning"} == {line.split()[0] for line in text.splitlines()}
