"""The moves of a task instance: the contract's table, row by row, and that the table knows every state."""

import pytest

from airlock_server.rules.scheduling.states import (
    ACTIVE,
    MOVES,
    SCHEDULABLE,
    SUCCESSFUL,
    UNFINISHED,
    UNSUCCESSFUL,
    Mover,
)
from airlock_wire.states import FINISHED, NEXT
from airlock_wire.states import TaskInstanceState as S

M = Mover
ROWS = [
    ("none up_for_retry up_for_reschedule", "scheduled", M.SCHEDULER),
    ("none", "skipped upstream_failed removed", M.SCHEDULER),
    ("none", "success", M.SCHEDULER),
    ("none", "deferred", M.SCHEDULER),
    ("scheduled", "queued", M.QUEUE),
    ("scheduled queued", "none", M.QUEUE),
    ("queued", "running", M.WORKER),
    ("queued", "scheduled failed", M.QUEUE),
    ("running", "success failed skipped up_for_retry up_for_reschedule deferred awaiting_input", M.RUNNER),
    ("running", "up_for_retry failed skipped", M.STOP),
    ("running", "restarting", M.CLEAR),
    ("restarting", "none", M.QUEUE),
    ("deferred", "scheduled success failed skipped up_for_retry", M.TRIGGER),
    ("awaiting_input", "scheduled", M.TRIGGER),
    (" ".join(sorted(UNFINISHED)), "removed", M.SCHEDULER),
    ("removed", "none", M.SCHEDULER),
    ("success failed skipped upstream_failed removed", "none", M.CLEAR),
    (" ".join(sorted(set(S) - {S.SUCCESS})), "success", M.PERSON),
]


@pytest.mark.parametrize(("befores", "afters", "mover"), ROWS)
def test_a_row_of_the_contract_is_a_move(befores, afters, mover):
    moves = [(S(before), S(after)) for before in befores.split() for after in afters.split()]

    assert [] == [move for move in moves if mover not in MOVES.get(move, ())]


def test_every_state_can_be_left_and_reached():
    assert set(S) == {before for before, _ in MOVES} == {after for _, after in MOVES}


def test_no_state_moves_to_itself():
    assert [] == [move for move in MOVES if move[0] is move[1]]


def test_only_people_and_a_clear_leave_a_finished_state_except_a_task_that_came_back():
    for (before, after), movers in MOVES.items():
        if before in FINISHED:
            back = {M.SCHEDULER} if (before, after) == (S.REMOVED, S.NONE) else set()
            assert movers <= {M.PERSON, M.CLEAR} | back, (before, after)


def test_what_a_launch_may_report_is_what_the_wire_says():
    of_runner = {after for (before, after), movers in MOVES.items() if before is S.RUNNING and M.RUNNER in movers}
    of_worker = {before for (before, _), movers in MOVES.items() if M.WORKER in movers}

    assert NEXT[S.RUNNING] == of_runner
    assert {state for state in S if S.RUNNING in NEXT[state]} == of_worker


def test_the_sets_are_those_of_the_contract():
    assert {"none", "up_for_retry", "up_for_reschedule"} == SCHEDULABLE
    assert {"running", "queued", "deferred", "awaiting_input"} == ACTIVE
    assert {"success", "skipped"} == SUCCESSFUL
    assert {"failed", "upstream_failed"} == UNSUCCESSFUL
    states = sorted([*UNFINISHED, *FINISHED])
    assert sorted(S) == states
