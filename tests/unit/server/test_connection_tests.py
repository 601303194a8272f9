"""What a worker's calls do to a connection test, in every state."""

import pytest

from airlock_server.rules.connection_tests import State, fetch_problem, result_problem


@pytest.mark.parametrize("state", State)
def test_the_connection_is_fetched_only_before_the_test_runs(state):
    problem = fetch_problem("id", state)

    assert (state in (State.PENDING, State.QUEUED)) == (problem is None)
    assert problem is None or state.value in problem


@pytest.mark.parametrize("state", State)
def test_a_result_is_written_only_before_the_test_is_over(state):
    problem = result_problem("id", state)

    assert (state in (State.SUCCESS, State.FAILED)) == (problem is not None)
    assert problem is None or state.value in problem
