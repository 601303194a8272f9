"""The table of states is total, and its moves are those that Airflow's server accepts."""

import pytest

from airlock_wire.states import FINISHED, NEXT, REPORTABLE, TaskState, may_report, may_run


def test_the_table_is_total():
    assert set(TaskState) == set(NEXT)
    assert {state for after in NEXT.values() for state in after} <= set(TaskState)


def test_a_finished_state_is_final_on_the_wire():
    assert all(not NEXT[state] for state in FINISHED)


@pytest.mark.parametrize("state", TaskState)
def test_only_a_queued_or_restarting_task_may_run(state):
    assert (state in (TaskState.QUEUED, TaskState.RESTARTING)) == may_run(state)


@pytest.mark.parametrize("state", TaskState)
@pytest.mark.parametrize("reported", TaskState)
def test_only_a_running_task_may_report(state, reported):
    assert (state is TaskState.RUNNING and reported in REPORTABLE) == may_report(state, reported)
