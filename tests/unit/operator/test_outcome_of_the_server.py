"""A TaskRun is never called failed for what succeeded: the record is read, and the server is asked, before a verdict."""

import pytest
from doubles.taskruns import NOW, POD_UID, RUNNING, decide, ended, open_attempt, pod, pod_body, record

from airlock_operator.decide.acts import Ask, Delete
from airlock_operator.decide.case import Answer, NoAnswer
from airlock_operator.observe.moments import Moments
from airlock_operator.observe.podfacts import observe
from airlock_operator.reasons import Reason
from airlock_wire.record import Reason as R

CLOCK = NOW.timestamp()
SIDECAR_RUNS = {"running": {}}
SILENT = NoAnswer("the server does not answer: TimeoutError", NOW)
#: Ends that a pod shows without a record of its sidecar: each may hide a success.
WITHOUT_RECORD = {
    "the pod is gone, and nobody saw how": None,
    "the pod went while it ran": pod(gone=True, runner=RUNNING),
    "the sidecar left no record": pod(runner=ended(), phase="Succeeded"),
    "the kubelet lost the containers": pod(runner=ended(137, "ContainerStatusUnknown"), phase="Failed"),
    "it was evicted": pod(phase="Failed", reason="Evicted", message="low on memory", runner=ended(137)),
    "the launcher vanished": pod(runner=ended(143), record=record(R.VANISHED)),
}


@pytest.mark.parametrize("facts", WITHOUT_RECORD.values(), ids=WITHOUT_RECORD)
def test_an_end_without_a_record_is_asked_about_before_anything_is_said(facts):
    decided = decide(open_attempt(), facts, asks=True)

    assert (None, Ask(POD_UID)) == (decided.status, decided.act)


@pytest.mark.parametrize("facts", WITHOUT_RECORD.values(), ids=WITHOUT_RECORD)
@pytest.mark.parametrize(
    ("state", "reason", "shown"),
    [
        ("success", Reason.SUCCEEDED, "success"),
        ("skipped", Reason.SKIPPED, "skipped"),
        ("failed", Reason.FAILED, "failed"),
        ("deferred", Reason.DEFERRED, "deferred"),
        ("up_for_reschedule", Reason.RESCHEDULED, "up_for_reschedule"),
        ("awaiting_input", Reason.AWAITING_INPUT, "awaiting_input"),
    ],
)
def test_what_the_server_has_is_what_the_taskrun_says(facts, state, reason, shown):
    decided = decide(open_attempt(), facts, asks=True, answer=Answer(state))

    assert (shown, reason) == (decided.status.state, decided.status.reason)


@pytest.mark.parametrize("facts", WITHOUT_RECORD.values(), ids=WITHOUT_RECORD)
@pytest.mark.parametrize("state", ["running", "queued"])
def test_where_the_server_has_no_end_the_pod_tells(facts, state):
    decided = decide(open_attempt(), facts, asks=True, answer=Answer(state), retries=0)

    assert "failed" == decided.status.state
    assert decided.status.reason not in ("Succeeded", "Failed")


def test_a_pod_that_never_had_a_token_never_began_and_runs_again():
    decided = decide(open_attempt(), None, asks=True, answer=Answer(""), retries=0)

    assert ("queued", "PodDeleted", 1) == (decided.status.state, decided.status.reason, decided.status.infra_reruns)


def test_nothing_is_decided_while_the_server_is_silent_and_the_taskrun_says_so():
    decided = decide(open_attempt(), None, asks=True, answer=SILENT)

    assert ("ServerAway", "", Ask(POD_UID)) == (decided.status.reason, decided.status.finished_at, decided.act)
    assert "does not answer" in decided.status.message


def test_a_server_that_stays_silent_for_an_hour_leaves_the_verdict_to_the_pod():
    seen = Moments(1, CLOCK - 4000, ended=CLOCK - 3601)

    assert "failed" == decide(open_attempt(), None, asks=True, answer=SILENT, seen=seen).status.state


def test_a_cancelled_taskrun_does_not_wait_for_a_silent_server():
    assert "Cancelled" == decide(open_attempt(), None, asks=True, answer=SILENT, cancel=True).status.reason


@pytest.mark.parametrize(
    "facts",
    [
        pod(runner=ended(), record=record(R.SUCCEEDED)),
        pod(runner=ended(143), record=record(R.INTERRUPTED), deleting=True),
        pod(phase="Failed", reason="Evicted", message="low on memory"),
        pod(phase="Failed", runner=ended(81)),
    ],
    ids=["its record says it", "its sidecar was there to the end", "it never ran", "it never connected"],
)
def test_an_end_that_is_certain_is_not_asked_about(facts):
    assert not isinstance(decide(open_attempt(), facts, asks=True).act, Ask)


def test_a_token_of_somebody_elses_server_is_not_asked_about_here():
    secret = {"token": "Secret", "taskInstanceId": "i", "dagVersionId": "v", "runId": "r"}

    assert decide(open_attempt(), None, asks=True, **secret).status.finished_at


# --- a sidecar that runs on ---


def mesh(**state):
    """A pod whose runner has ended, and beside which a container of others runs."""
    return observe(pod_with_mesh(ended(**state)))


def pod_with_mesh(runner):
    made = pod_body(runner=runner, sidecar=SIDECAR_RUNS, phase="Running")
    made["status"]["containerStatuses"].append({"name": "istio-proxy", "state": {"running": {}}})
    return made


def test_a_pod_that_a_container_of_others_keeps_is_stopped_to_read_its_record():
    decided = decide(open_attempt(), mesh(), seen=Moments(1, CLOCK - 60, ended=CLOCK - 6))

    assert (Delete("hello-1", POD_UID), "Stopping") == (decided.act, decided.status.reason)
    assert not decided.status.finished_at


def test_a_container_of_others_that_ends_by_itself_is_given_the_time_to():
    decided = decide(open_attempt(), mesh(), seen=Moments(1, CLOCK - 60, ended=CLOCK - 4))

    assert (None, None, 1.0) == (decided.status, decided.act, decided.again_in)


def test_a_sidecar_of_an_overloaded_node_is_stopped_after_two_minutes_and_nothing_is_judged():
    facts = pod(runner=ended(), sidecar=SIDECAR_RUNS)
    decided = decide(open_attempt(), facts, seen=Moments(1, CLOCK - 300, ended=CLOCK - 121))

    assert (Delete("hello-1", POD_UID), "") == (decided.act, decided.status.finished_at)


@pytest.mark.parametrize(("kept", "state"), [(R.SUCCEEDED, "success"), (R.SKIPPED, "skipped"), (R.FAILED, "failed")])
def test_the_record_of_a_pod_that_was_stopped_for_it_decides(kept, state):
    facts = pod(runner=ended(), record=record(kept), deleting=True, phase="Failed")

    assert state == decide(open_attempt(stopping="SidecarLost"), facts, asks=True).status.state


def test_a_pod_whose_taskrun_is_over_does_not_run_on():
    over = open_attempt(finishedAt="2026-11-21T12:00:00Z", state="success", reason="Succeeded")
    facts = observe(pod_with_mesh(ended()))

    assert None is decide(over, facts, seen=Moments(1, CLOCK - 90, over=CLOCK - 30)).act
    assert Delete("hello-1", POD_UID) == decide(over, facts, seen=Moments(1, CLOCK - 90, over=CLOCK - 61)).act


# --- a server that is away ---


def test_a_running_taskrun_says_that_its_server_is_away():
    away = "the server has not answered since 2026-11-21T11:59:00Z"
    decided = decide(open_attempt(), pod(runner=RUNNING, sidecar=SIDECAR_RUNS), server_away=away)
    running = next(c for c in decided.status.conditions if c["type"] == "ServerReachable")

    assert ("running", "ServerAway") == (decided.status.state, decided.status.reason)
    assert away in decided.status.message
    assert ("False", "ServerAway") == (running["status"], running["reason"])


def test_a_server_that_is_back_is_said_too():
    status = open_attempt(state="running", reason="ServerAway", startedAt="2026-11-21T11:59:50.000000Z")
    decided = decide(status, pod(runner=RUNNING, sidecar=SIDECAR_RUNS))
    running = next(c for c in decided.status.conditions if c["type"] == "ServerReachable")

    assert ("Running", "True") == (decided.status.reason, running["status"])
