"""What a pod's first exchange does to the task instance's row: the table, and that it is total."""

import itertools

import pytest

from airlock_server.rules.takeover import Found, Step, succeed
from airlock_wire.states import FINISHED, TaskInstanceState

S = TaskInstanceState


@pytest.mark.parametrize(
    ("state", "row_try", "asked_try", "step"),
    [
        (S.QUEUED, 1, 1, Step.KEEP),
        (S.RUNNING, 1, 1, Step.REQUEUE),
        (S.RESTARTING, 1, 1, Step.REQUEUE),
        (S.DEFERRED, 1, 1, Step.REQUEUE),
        (S.UP_FOR_RESCHEDULE, 1, 1, Step.REQUEUE),
        (S.UP_FOR_RETRY, 1, 2, Step.NEXT_TRY),
        (S.UP_FOR_RETRY, 1, 1, Step.NEXT_TRY),
        (S.NONE, 1, 1, Step.NEXT_TRY),
        (S.SCHEDULED, 1, 1, Step.NEXT_TRY),
        (S.QUEUED, 1, 2, Step.NEXT_TRY),
        (S.RUNNING, 1, 2, Step.NEXT_TRY),
        (S.FAILED, 1, 2, Step.NEXT_TRY),
        (S.FAILED, 1, 1, Step.FINISHED),
        (S.SUCCESS, 1, 1, Step.FINISHED),
        (S.SUCCESS, 1, 2, Step.FINISHED),
        (S.SKIPPED, 1, 2, Step.FINISHED),
        (S.REMOVED, 1, 2, Step.FINISHED),
        (S.RUNNING, 2, 1, Step.SUPERSEDED),
        (S.SUCCESS, 2, 1, Step.SUPERSEDED),
    ],
)
def test_the_step_of_the_same_taskrun(state, row_try, asked_try, step):
    assert succeed(Found(state, row_try, same_taskrun=True), asked_try) is step


def test_there_is_nothing_to_succeed_at_first():
    assert Step.CREATE is succeed(None, 1)


@pytest.mark.parametrize("state", TaskInstanceState)
def test_another_taskruns_task_instance_is_run_again_once_it_is_finished_or_cleared_and_not_before(state):
    cleared = (TaskInstanceState.NONE, TaskInstanceState.RESTARTING)
    expected = Step.NEXT_TRY if state in FINISHED or state in cleared else Step.BUSY

    assert expected is succeed(Found(state, 1, same_taskrun=False), 1)


def test_every_state_has_a_step_and_a_success_is_never_run_again():
    for state, mine, row_try, asked in itertools.product(TaskInstanceState, (True, False), (1, 2), (1, 2, 3)):
        step = succeed(Found(state, row_try, mine), asked)
        assert isinstance(step, Step)
        assert not (mine and state is S.SUCCESS) or step in (Step.FINISHED, Step.SUPERSEDED)
