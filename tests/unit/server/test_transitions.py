"""Every state and every call: what a launch is answered."""

import pytest

from airlock_server.rules.transitions import (
    Caller,
    Missing,
    Seen,
    Verdict,
    on_heartbeat,
    on_report,
    on_run,
    state_after_report,
)
from airlock_wire.states import REPORTABLE, TaskInstanceState

US = Caller("host", "user", 1)
OURS = ("host", "user", 1)


@pytest.mark.parametrize("state", TaskInstanceState)
def test_run_is_accepted_from_queued_and_restarting_only(state):
    may = state in (TaskInstanceState.QUEUED, TaskInstanceState.RESTARTING)
    assert on_run(Seen(state, "other", "user", 1), US) is (Verdict.MOVE if may else Verdict.INVALID_STATE)


@pytest.mark.parametrize("state", TaskInstanceState)
def test_run_is_replayed_for_the_process_that_runs_it(state):
    answer = on_run(Seen(state, *OURS), US)
    if state is TaskInstanceState.RUNNING:
        assert Verdict.REPLAY is answer
    elif state in (TaskInstanceState.QUEUED, TaskInstanceState.RESTARTING):
        assert Verdict.MOVE is answer
    else:
        assert Verdict.INVALID_STATE is answer


@pytest.mark.parametrize("other", [("elsewhere", "user", 1), ("host", "someone", 1), ("host", "user", 2)])
def test_run_is_refused_to_any_other_process(other):
    assert Verdict.INVALID_STATE is on_run(Seen(TaskInstanceState.RUNNING, *other), US)


@pytest.mark.parametrize("missing", Missing)
def test_run_and_report_do_not_find_an_id_that_is_not_live(missing):
    assert Verdict.NOT_FOUND is on_run(missing, US)
    assert Verdict.NOT_FOUND is on_report(missing, TaskInstanceState.SUCCESS)


@pytest.mark.parametrize("state", TaskInstanceState)
@pytest.mark.parametrize("reported", TaskInstanceState)
def test_a_report_moves_a_running_task_and_is_replayed_in_its_own_state(state, reported):
    answer = on_report(Seen(state, *OURS), reported)
    if state is reported:
        assert Verdict.REPLAY is answer
    elif state is TaskInstanceState.RUNNING:
        assert Verdict.MOVE is answer
    else:
        assert Verdict.INVALID_STATE is answer


@pytest.mark.parametrize("reported", TaskInstanceState)
def test_a_state_that_no_launch_may_report_means_failed(reported):
    assert state_after_report(reported) is (reported if reported in REPORTABLE else TaskInstanceState.FAILED)


@pytest.mark.parametrize("state", TaskInstanceState)
def test_a_heartbeat_is_for_a_running_task(state):
    answer = on_heartbeat(Seen(state, *OURS), "host", 1)
    assert answer is (Verdict.BEAT if state is TaskInstanceState.RUNNING else Verdict.NOT_RUNNING)


@pytest.mark.parametrize("state", TaskInstanceState)
@pytest.mark.parametrize(("hostname", "pid"), [("elsewhere", 1), ("host", 2)])
def test_a_heartbeat_compares_the_process_before_the_state(state, hostname, pid):
    assert Verdict.RUNNING_ELSEWHERE is on_heartbeat(Seen(state, *OURS), hostname, pid)


def test_a_heartbeat_tells_an_archived_id_from_an_unknown_one():
    assert Verdict.GONE is on_heartbeat(Missing.ARCHIVED, "host", 1)
    assert Verdict.NOT_FOUND is on_heartbeat(Missing.UNKNOWN, "host", 1)
