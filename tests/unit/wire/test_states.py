"""The table of states is total, and its moves are those that Airflow's server accepts."""

import pytest

from airlock_wire.states import FINISHED, NEXT, REPORTABLE, TaskInstanceState, may_report, may_run


def test_the_table_is_total():
    assert set(TaskInstanceState) == set(NEXT)
    assert {state for after in NEXT.values() for state in after} <= set(TaskInstanceState)


def test_a_finished_state_is_final_on_the_wire():
    assert all(not NEXT[state] for state in FINISHED)


@pytest.mark.parametrize("state", TaskInstanceState)
def test_only_a_queued_or_restarting_task_may_run(state):
    assert (state in (TaskInstanceState.QUEUED, TaskInstanceState.RESTARTING)) == may_run(state)


@pytest.mark.parametrize("state", TaskInstanceState)
@pytest.mark.parametrize("reported", TaskInstanceState)
def test_only_a_running_task_may_report(state, reported):
    assert (state is TaskInstanceState.RUNNING and reported in REPORTABLE) == may_report(state, reported)
