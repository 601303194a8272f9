"""The page of the Execution API: a row for each operation, and who may call it."""

import json

import pytest

from reference import execution_api


def route(method, pattern):
    return next(each for each in execution_api.NEWEST if execution_api.operation(each) == f"{method} {pattern}")


@pytest.mark.parametrize(
    ("method", "pattern", "who"),
    [
        ("GET", "/health", "anybody"),
        ("PATCH", "/task-instances/{task_instance_id}/run", "also with its workload token"),
        (
            "PUT",
            "/task-instances/{task_instance_id}/heartbeat",
            "the task instance itself, until 10 minutes after its end",
        ),
        ("PATCH", "/task-instances/{task_instance_id}/state", "also after its end"),
        ("GET", "/connections/{connection_id}", "by grant"),
        ("POST", "/dag-runs/{dag_id}/{run_id}", "by grant"),
        ("GET", "/connection-tests/{connection_test_id}/connection", "the worker that was given the test"),
        ("GET", "/dags/{dag_id}", "of its namespace"),
        ("GET", "/assets/by-name", "any task; by grant"),
        ("GET", "/asset-events/by-asset-alias", "any task; by grant"),
        ("PUT", "/store/asset/by-uri/value", "a task with the asset in its inlets"),
        ("PUT", "/store/asset/by-uri/value", "by grant"),
    ],
)
def test_who_may_call_an_operation_is_said_from_its_route(method, pattern, who):
    assert who in execution_api.who(route(method, pattern))


def test_every_operation_has_a_row_with_the_statuses_of_both():
    statuses = json.loads(execution_api.STATUSES.read_text())
    page = execution_api.page()

    for each in execution_api.NEWEST:
        name = execution_api.operation(each)
        assert 1 == page.count(f"| `{name}` |"), name
        if name in execution_api.OURS_ALONE:
            assert f"Airflow does not have `{name}`" in page
            continue
        assert statuses[name]["airflow"], name
        assert statuses[name]["airlock"], name
    assert "not yet" not in page


def test_only_the_row_of_an_operation_that_airflow_does_not_have_is_without_statuses():
    empty = [line for line in execution_api.page().splitlines() if line.startswith("|") and "|  |" in line]

    assert len(execution_api.OURS_ALONE) == len(empty)
    assert all(f"`{name}`" in line for name, line in zip(execution_api.OURS_ALONE, empty, strict=True))


def test_ours_fails_at_no_operation():
    rows = json.loads(execution_api.STATUSES.read_text())

    assert [] == [name for name, row in rows.items() if any(code >= 500 for code in row["airlock"])]
