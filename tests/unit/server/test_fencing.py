"""How a launch stands, by its pod's row and the clock."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from airlock_server.api.execution import door
from airlock_server.api.execution.routes import ROUTES, connections, task_instances, variables, xcoms
from airlock_server.rules.attempts import Attempt
from airlock_server.rules.fencing import SETTLED_FOR, Standing, standing
from airlock_wire.identity import TaskInstanceKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(**changes):
    fields = dict.fromkeys(("pod_uid", "pod_name", "namespace", "taskrun_name", "taskrun_uid"), "x")
    others = {"number": 1, "try_number": 1, "key": TaskInstanceKey("d", "r", "t")}
    return Attempt(**fields | others | {"dag_version_id": "v", "ti_id": "ti"} | changes)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (None, Standing.ENDED),
        (attempt(), Standing.CURRENT),
        (attempt(ti_id="another"), Standing.ENDED),
        (attempt(ended_at=NOW), Standing.ENDED),
        (attempt(ended_at=NOW, settled_at=NOW), Standing.ENDED),
        (attempt(settled_at=NOW), Standing.SETTLED),
        (attempt(settled_at=NOW - SETTLED_FOR), Standing.SETTLED),
        (attempt(settled_at=NOW - SETTLED_FOR - timedelta(seconds=1)), Standing.EXPIRED),
    ],
)
def test_the_standing(row, expected):
    assert expected is standing(row, "ti", NOW)


def test_what_all_tasks_share_is_open_to_a_running_launch_only():
    shared = [route for route in ROUTES if route.pattern.startswith(("/variables", "/connections"))]

    assert shared
    assert {Standing.CURRENT} == {route.opens for route in shared}


def test_only_the_replay_of_a_state_is_open_for_longer():
    assert ["/task-instances/{task_instance_id}/state"] == [
        route.pattern for route in ROUTES if route.opens > Standing.SETTLED
    ]


def test_no_route_goes_past_the_door():
    """A route that used the database itself would not be fenced."""
    for module in (connections, task_instances, variables, xcoms):
        assert "services.db" not in inspect.getsource(module)


@pytest.mark.parametrize(
    ("found", "status", "revokes"),
    [(Standing.SETTLED, 403, False), (Standing.EXPIRED, 410, True), (Standing.ENDED, 410, True)],
)
def test_only_the_refusal_of_a_launch_that_is_over_revokes_its_token(found, status, revokes):
    refusal = door._refusal(found, attempt())

    assert (status, revokes) == (refusal.status, refusal.revokes)


def test_the_refusal_of_an_archived_try_revokes_its_token():
    refusal = task_instances._gone()

    assert (410, True) == (refusal.status, refusal.revokes)
