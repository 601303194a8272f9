"""When the operator saw each step, by its own clock: what starts a time-out, what starts it anew, and what does not."""

import pytest
from doubles.taskruns import GATED, NOW, RUNNING, ago, case, decide, ended, open_attempt, pod, record, run, waiting

from airlock_operator.decide.acts import Delete
from airlock_operator.decide.plan import plan
from airlock_operator.observe.moments import Moments, advance
from airlock_operator.reasons import Reason
from airlock_wire.record import Reason as R

CLOCK = NOW.timestamp()
SIDECAR_RUNS = {"running": {}}


def looked(known, facts, *, before=None, clock=100.0, **more):
    return advance(before, known, facts, clock, **more)


def test_the_first_look_starts_every_clock_that_its_facts_start():
    found = looked(run(status=open_attempt()), pod(runner=ended(), deleting=True))

    assert (1, 100.0, 100.0, 100.0, 100.0) == (found.attempt, found.opened, found.ran, found.ended, found.deleting)


def test_a_later_look_leaves_the_clocks_that_run():
    known = run(status=open_attempt())
    before = looked(known, pod(runner=RUNNING))
    found = looked(known, pod(runner=ended()), before=before, clock=200.0)

    assert (100.0, 100.0, 200.0) == (found.opened, found.ran, found.ended)


def test_another_attempt_has_clocks_of_its_own():
    before = looked(run(status=open_attempt()), pod(runner=ended()))
    found = looked(run(status=open_attempt(2)), None, before=before, clock=200.0)

    assert (2, 200.0, None) == (found.attempt, found.opened, found.ran)


def test_a_reason_with_a_clock_of_its_own_starts_it_anew_if_another_takes_its_place():
    known = run(status=open_attempt())
    first = looked(known, pod(), failing_as="ImagePull")
    same = looked(known, pod(), before=first, clock=150.0, failing_as="ImagePull")
    other = looked(known, pod(), before=same, clock=200.0, failing_as="ContainerConfig")

    assert [100.0, 100.0, 200.0] == [each.failing for each in (first, same, other)]
    assert None is looked(known, pod(), before=other).failing


def test_a_pod_that_a_gate_holds_back_loses_none_of_its_time_to_start():
    known = run(status=open_attempt())
    gated = looked(known, pod(conditions=GATED, node=""), before=looked(known, pod()), clock=5000.0)

    assert 5000.0 == gated.opened


def test_time_without_the_server_is_not_the_tasks():
    known, facts = run(status=open_attempt()), pod(runner=RUNNING)
    away = looked(known, facts, before=looked(known, facts), clock=400.0, away=True)

    assert 400.0 == away.ran


@pytest.mark.parametrize("behind", [-7200, -125, 0, 95, 125, 7200])
def test_a_node_whose_clock_is_wrong_changes_no_verdict(behind):
    """A node that is behind stamps the end of a runner long before it happened, and one that is ahead stamps it later."""
    known = run(status=open_attempt(), executionTimeout="10s")
    seen = Moments(1, CLOCK - 5, ran=CLOCK - 4, ended=CLOCK - 1)
    facts = pod(runner=ended(seconds_ago=behind), sidecar=SIDECAR_RUNS)
    running = pod(runner={"running": {"startedAt": ago(behind)}}, sidecar=SIDECAR_RUNS)

    assert (None, None) == (plan(case(known, facts, seen=seen)).status, plan(case(known, facts, seen=seen)).act)
    decided = plan(case(known, running, seen=Moments(1, CLOCK - 5, ran=CLOCK - 4)))
    assert ("Running", None) == (decided.status.reason, decided.act)


@pytest.mark.parametrize("skew", [-7200, -125, 125, 7200])
def test_the_timeline_of_a_node_whose_clock_is_wrong_stays_within_the_taskrun(skew):
    times = {"listening": CLOCK - 9 + skew, "connected": CLOCK - 8 + skew, "exited": CLOCK - 1 + skew}
    status = open_attempt(startedAt=ago(9))
    decided = decide(status, pod(runner=ended(), record=record(R.SUCCEEDED, timeline=times)))
    marks = decided.status.timeline

    assert 0 <= marks["sidecarListening"] <= marks["runnerConnected"] <= marks["runnerExited"] <= marks["finished"]
    assert 7.0 == round(marks["runnerExited"] - marks["runnerConnected"], 3)


def test_a_new_operator_starts_every_time_out_anew():
    old = open_attempt(since=ago(3600), failingSince=ago(3600), reason="ImagePull")
    decided = decide(old, pod(runner=waiting("ErrImagePull", "no")), seen=Moments(1, CLOCK - 1))

    assert (None, "") == (decided.act, decided.status.stopping if decided.status else "")


def test_a_pause_is_never_longer_than_between_its_two_stamps_whoever_wrote_them():
    last = {"attempt": 1, "try": 1, "finishedAt": ago(-7000)}
    waits = open_attempt(podRef=None, attempts=[last], nextAttemptAt=ago(-7010))
    known = run(status=waits)

    assert 10.0 == round(plan(case(known, seen=Moments(1, CLOCK, waits=CLOCK))).again_in)
    assert 2 == plan(case(known, seen=Moments(1, CLOCK, waits=CLOCK - 11))).status.attempt


def test_a_pod_whose_node_never_confirms_its_end_is_given_up_long_after_its_grace_period():
    known = run(status=open_attempt(), gracePeriod="60s", retries=1)
    facts = pod(runner=RUNNING, sidecar=SIDECAR_RUNS, deleting=True)

    waits = plan(case(known, facts, seen=Moments(1, CLOCK - 400, deleting=CLOCK - 350)))
    assert (Reason.STOPPING, False) == (waits.status.reason, waits.by_clock)
    ends = plan(case(known, facts, seen=Moments(1, CLOCK - 400, deleting=CLOCK - 361)))
    assert ("NodeLost", True) == (ends.status.attempts[-1].reason, ends.by_clock)


def test_a_stop_by_a_time_out_is_marked_so_that_the_pod_is_looked_at_once_more():
    decided = decide(open_attempt(since=ago(601)), pod(node=""), pendingTimeout="10m")

    assert (Delete("hello-1", decided.act.uid), True) == (decided.act, decided.by_clock)
