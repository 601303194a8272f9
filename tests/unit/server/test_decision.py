"""What the local executor decides about a launch, as a table, and that there is always a decision."""

import itertools

import pytest

from airlock_server.launching.local.decision import Next, Used, decide
from airlock_wire.record import Reason, Record
from airlock_wire.states import TaskInstanceState

BEGAN = {"started": 1.0}


def record(reason, **changes):
    return Record(reason=reason, **changes)


@pytest.mark.parametrize(
    ("given", "retries", "used", "expected"),
    [
        (record(Reason.SUCCEEDED, state="success", acknowledged=True), 0, Used(), (Next.DONE, None)),
        (record(Reason.CRASHED, state="failed", acknowledged=True), 0, Used(), (Next.DONE, None)),
        (record(Reason.SUCCEEDED, state="success"), 0, Used(), (Next.CLOSE, TaskInstanceState.SUCCESS)),
        (record(Reason.SUPERSEDED), 2, Used(), (Next.DONE, None)),
        (record(Reason.ALREADY_FINISHED), 2, Used(), (Next.DONE, None)),
        (record(Reason.VANISHED, timeline=BEGAN), 0, Used(), (Next.CLOSE, TaskInstanceState.FAILED)),
        (record(Reason.VANISHED, timeline=BEGAN), 1, Used(), (Next.AGAIN, None)),
        (record(Reason.VANISHED), 0, Used(), (Next.AGAIN, None)),
        (record(Reason.INTERRUPTED, timeline=BEGAN), 1, Used(infra=3), (Next.CLOSE, TaskInstanceState.FAILED)),
        (record(Reason.RUNNER_NEVER_CONNECTED), 0, Used(), (Next.AGAIN, None)),
        (record(Reason.RUNNER_NEVER_CONNECTED), 0, Used(infra=3), (Next.CLOSE, TaskInstanceState.FAILED)),
        (record(Reason.TOKEN_EXPIRED), 0, Used(), (Next.AGAIN, None)),
        (record(Reason.TOKEN_EXPIRED), 0, Used(tokens=3), (Next.CLOSE, TaskInstanceState.FAILED)),
        (record(Reason.REJECTED), 2, Used(), (Next.CLOSE, TaskInstanceState.FAILED)),
        (None, 0, Used(), (Next.AGAIN, None)),
        (None, 1, Used(), (Next.AGAIN, None)),
    ],
)
def test_the_decision(given, retries, used, expected):
    decision = decide(given, began=False, retries=retries, infra_budget=3, used=used, stopping=False)

    assert expected == (decision.next, decision.state)


@pytest.mark.parametrize("retries", [0, 1])
def test_that_user_code_had_begun_is_said_by_evidence_alone(retries):
    """A sidecar that left no record says nothing about user code; its note in the launch's folder does."""
    begun = decide(None, began=True, retries=retries, infra_budget=3, used=Used(), stopping=False)
    never = decide(None, began=False, retries=retries, infra_budget=3, used=Used(), stopping=False)

    assert (Next.CLOSE if retries == 0 else Next.AGAIN) == begun.next
    assert (retries == 0) == ("user code had begun" in begun.why)
    assert (Next.AGAIN, "SidecarLost") == (never.next, never.why)


def test_every_record_has_a_decision_and_a_stopped_command_launches_no_more():
    for reason, retries, infra, began, acknowledged, stopping in itertools.product(
        Reason, (0, 2), (0, 3), ({}, BEGAN), (False, True), (False, True)
    ):
        given = record(reason, timeline=began, acknowledged=acknowledged)
        decision = decide(
            given, began=bool(began), retries=retries, infra_budget=3, used=Used(infra), stopping=stopping
        )
        assert (decision.next is Next.CLOSE) == (decision.state is not None)
        assert decision.next is Next.DONE or decision.why
        assert not (stopping and decision.next is Next.AGAIN)
