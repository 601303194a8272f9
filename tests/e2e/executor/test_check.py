"""What `airlock-executor check` says in the scheduler's container of a real Airflow."""

import pytest

pytestmark = pytest.mark.timeout(300)


def test_the_check_finds_nothing_that_keeps_tasks_from_running_and_names_what_opens_too_much(dropin):
    text = dropin.team("exec", "airflow", "-c", "scheduler", "--", "airlock-executor", "check")

    # This account has the rights of KubernetesExecutor too, which runs beside ours.
    assert "may create pods" in text
    # Its DAG files are mounted by the pod template, too.
    assert "dag-files" not in text
    assert {"warning"} == {line.split()[0] for line in text.splitlines()}


def test_the_check_asks_the_api_server_as_a_task_would(dropin):
    dropin.ask("POST", "/variables", {"key": "of_the_server", "value": "v"})
    check = ("exec", "airflow", "-c", "scheduler", "--", "env")

    known = dropin.team(*check, "airlock-executor", "check", "--variable", "of_the_server")
    unknown = dropin.team(*check, "airlock-executor", "check", "--connection", "nowhere", check=False)
    other_key = dropin.team(
        *check, f"AIRFLOW__API_AUTH__JWT_SECRET={'x' * 64}", "airlock-executor", "check", check=False
    )
    away = dropin.team(
        *check,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:1/execution/",
        "airlock-executor",
        "check",
        check=False,
    )

    assert not {"api-server:", "jwt-secret:", "secrets-backend:"} & set(known.split())
    assert "error    secrets-backend: the API server does not know connection 'nowhere'" in unknown
    assert "error    jwt-secret: the API server refuses a token of this scheduler (403)" in other_key
    assert "error    api-server: http://127.0.0.1:1/execution/ cannot be asked: [Errno 111] Connection refused" in away
