"""Older versions of the API: each change, and what it undoes."""

import copy
import json

import pytest

from airlock_server.api.execution.older import serving
from airlock_server.api.execution.older.change import DAG_RUN, PREVIOUS, PREVIOUS_OF_DAG, RUN
from airlock_server.api.execution.older.keyword_arguments import in_the_older_form
from airlock_server.api.execution.routes import ROUTES
from airlock_server.api.execution.versions import VERSIONS
from airlock_server.web.http import Response

NEWEST, MIDDLE, OLDEST = (serving.newer_than(version) for version in reversed(VERSIONS))
EVENTS = ("GET", "/asset-events/by-asset")
DAG = {
    "dag_id": "d", "start_date": None, "run_after": "2026-01-01T00:00:00Z", "team_name": None, "partition_date": None,
    "partition_key": None, "note": "n", "consumed_asset_events": [{"extra": {}, "partition_key": "k"}],
}  # fmt: skip
CONTEXT = {
    "dag_run": DAG,
    "max_tries": 0,
    "next_method": "go",
    "next_kwargs": {"a": 1},
    "start_date": "2026-01-01T00:00:00Z",
}


def undone(changes, operation, body, status=200):
    response = serving.answer(changes, operation, Response(status, json.dumps(body).encode()))
    return json.loads(response.body)


def test_the_newest_version_undoes_nothing():
    assert () == NEWEST
    assert CONTEXT == undone(NEWEST, RUN, CONTEXT)


def test_a_launch_before_2026_06_30_has_no_team_no_partition_date_and_no_partition_of_events():
    dag_run = undone(MIDDLE, RUN, CONTEXT)["dag_run"]

    assert {"team_name", "partition_date"} == DAG.keys() - dag_run.keys()
    assert [{"extra": {}}] == dag_run["consumed_asset_events"]


def test_a_launch_before_2026_04_06_also_has_no_note_and_its_run_has_started():
    context = undone(OLDEST, RUN, CONTEXT)

    assert {"team_name", "partition_date", "partition_key", "note"} == DAG.keys() - context["dag_run"].keys()
    assert DAG["run_after"] == context["dag_run"]["start_date"]
    assert None is context["upstream_map_indexes"]
    assert "start_date" not in context
    assert {"__type": "dict", "__var": {"a": 1}} == context["next_kwargs"]


def test_a_run_that_has_started_keeps_its_start():
    context = copy.deepcopy(CONTEXT)
    context["dag_run"]["start_date"] = "2026-02-02T00:00:00Z"

    assert "2026-02-02T00:00:00Z" == undone(OLDEST, RUN, context)["dag_run"]["start_date"]


@pytest.mark.parametrize("operation", [DAG_RUN, PREVIOUS])
def test_a_dag_run_before_2026_06_30_has_no_team_and_no_partition_date(operation):
    assert {"team_name", "partition_date"} == DAG.keys() - undone(MIDDLE, operation, DAG).keys()


def test_no_run_before_is_null_in_every_version():
    assert None is undone(MIDDLE, PREVIOUS, None)


def test_asset_events_before_2026_04_06_have_no_partition():
    body = {"asset_events": [{"id": 1, "partition_key": "k"}]}

    assert body == undone(MIDDLE, EVENTS, body)
    assert {"asset_events": [{"id": 1}]} == undone(OLDEST, EVENTS, body)


def test_a_refusal_is_the_same_in_every_version():
    body = {"detail": {"reason": "not_found"}}

    assert body == undone(OLDEST, RUN, body, status=404)


@pytest.mark.parametrize(
    ("operation", "newest", "middle", "oldest"),
    [
        (("GET", "/variables/keys"), True, False, False),
        (("PUT", "/store/ti/{task_instance_id}/{key:path}"), True, False, False),
        (("GET", "/store/asset/by-uri/value"), True, False, False),
        (("GET", "/connection-tests/{connection_test_id}/connection"), True, False, False),
        (("GET", "/dags/{dag_id}"), True, True, False),
        (DAG_RUN, True, True, False),
        (PREVIOUS, True, True, False),
        (PREVIOUS_OF_DAG, False, False, True),
        (RUN, True, True, True),
    ],
)
def test_a_client_has_the_operations_of_its_version(operation, newest, middle, oldest):
    assert [newest, middle, oldest] == [serving.serves(changes, operation) for changes in (NEWEST, MIDDLE, OLDEST)]


def test_what_a_change_names_is_a_route():
    routes = {(route.method, route.pattern) for route in ROUTES}
    named = {
        operation
        for change in serving.CHANGES
        for operation in (*change.added, *change.removed, *change.undo)
        if not operation[1].startswith(("/asset", "/store/asset"))
    }

    assert set() == named - routes


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ({}, {"__type": "dict", "__var": {}}),
        ([1, "x", None, True], [1, "x", None, True]),
        ({"a": {"b": [{}]}}, {"__type": "dict", "__var": {"a": {"__type": "dict", "__var": {"b": [{"__type": "dict", "__var": {}}]}}}}),
        ({"__classname__": "builtins.tuple", "__version__": 1, "__data__": [1]}, {"__type": "tuple", "__var": [1]}),
        ({"__classname__": "builtins.set", "__version__": 1, "__data__": [1]}, {"__type": "set", "__var": [1]}),
        ({"__classname__": "datetime.timedelta", "__version__": 2, "__data__": 1.5}, {"__type": "timedelta", "__var": 1.5}),
        (
            {"__classname__": "datetime.datetime", "__version__": 2, "__data__": {"timestamp": 5.0, "tz": None}},
            {"__type": "datetime", "__var": 5.0},
        ),
        ({"__classname__": "datetime.date", "__version__": 2, "__data__": "2026-01-01"}, "2026-01-01"),
        ({"a": {"__classname__": "my.Own", "__data__": 1}}, {"a": {"__classname__": "my.Own", "__data__": 1}}),
        ({"a": {"__classname__": "builtins.tuple"}}, {"a": {"__classname__": "builtins.tuple"}}),
        ({"__type": "dict", "__var": {"a": 1}}, {"__type": "dict", "__var": {"a": 1}}),
    ],
)  # fmt: skip
def test_keyword_arguments_are_written_in_the_older_form(newer, older):
    assert older == in_the_older_form(newer)
