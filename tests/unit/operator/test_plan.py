"""What the operator does next: from every state the same, whoever asked before."""

import itertools
from datetime import timedelta

import msgspec
import pytest
from doubles.taskruns import (
    GATED,
    NOW,
    POD_UID,
    RUNNING,
    ago,
    body,
    case,
    decide,
    ended,
    inits,
    open_attempt,
    pod,
    pod_body,
    record,
    run,
    waiting,
)  # fmt: skip

from airlock_operator.decide.acts import Create, Delete, Forget
from airlock_operator.decide.case import Refusal
from airlock_operator.decide.plan import plan
from airlock_operator.decide.statement import AS_AIRFLOW
from airlock_operator.observe.complaints import About, Complaint
from airlock_operator.observe.podfacts import observe
from airlock_operator.observe.taskrun import read
from airlock_operator.reasons import Reason
from airlock_wire.record import Reason as R
from airlock_wire.taskrun import PodRef

SCHEDULED = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(19)}]
UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]
NO_POD_YET = {"podRef": None, "reason": "Pending"}


# --- before a pod ---


def test_a_new_taskrun_is_given_an_attempt_before_any_pod_is_made():
    decided = decide()

    assert None is decided.act
    assert (1, 1, "queued", "Pending") == (
        decided.status.attempt, decided.status.try_number, decided.status.state, decided.status.reason,
    )  # fmt: skip
    assert "manual__9a1c3f10-0000-4000-8000-000000000001" == decided.status.run_id


def test_an_attempt_that_was_given_its_number_gets_its_pod():
    assert Create(1) == decide(open_attempt(**NO_POD_YET)).act


def test_a_pod_that_was_made_is_written_down_before_anything_else():
    decided = decide(open_attempt(**NO_POD_YET), pod())

    assert (PodRef("hello-1", POD_UID), None) == (decided.status.pod_ref, decided.act)


def test_a_pod_of_that_name_that_is_somebody_elses_is_waited_for_and_never_adopted():
    decided = decide(open_attempt(**NO_POD_YET), pod(owner="another"))

    assert ("queued", "Pending", None) == (decided.status.state, decided.status.reason, decided.act)
    assert "a pod named" in decided.status.message
    assert decided.again_in


def test_a_pod_of_that_name_that_stays_is_given_up_after_the_pending_timeout():
    old = open_attempt(**NO_POD_YET, since=ago(61))
    decided = decide(old, pod(owner="another"), pendingTimeout="60s")

    assert ("failed", "InvalidPod", None) == (decided.status.state, decided.status.reason, decided.act)
    assert "use another name" in decided.status.message


def test_a_taskrun_that_was_deleted_and_applied_again_gets_a_pod_of_its_own():
    gone = pod(owner="an earlier TaskRun of this name", gone=True)

    assert Create(1) == decide(open_attempt(**NO_POD_YET), gone).act


def test_a_taskrun_that_waits_for_a_name_can_be_cancelled():
    decided = decide(open_attempt(**NO_POD_YET), pod(owner="another"), cancel=True)

    assert ("failed", "Cancelled") == (decided.status.state, decided.status.reason)


def test_a_suspended_taskrun_waits_and_says_so():
    decided = decide(suspend=True)

    assert ("Suspended", 0, None) == (decided.status.reason, decided.status.attempt, decided.act)
    assert "spec.suspend" in decided.status.message


@pytest.mark.parametrize("reason", [Reason.QUOTA_EXCEEDED, Reason.FORBIDDEN, Reason.API_BUSY])
def test_a_refused_pod_is_asked_for_again_and_the_message_quotes_who_refused(reason):
    decided = decide(open_attempt(**NO_POD_YET), refusal=Refusal(reason, "exceeded quota: small", NOW))

    assert (reason, Create(1)) == (decided.status.reason, decided.act)
    assert "exceeded quota: small" in decided.status.message
    assert not decided.status.finished_at


def test_a_refused_pod_is_asked_for_when_its_pause_is_over_and_not_before():
    refusal = Refusal(Reason.API_BUSY, "etcd", NOW + timedelta(seconds=4))
    decided = decide(open_attempt(**NO_POD_YET), refusal=refusal)

    assert (None, 4.0) == (decided.act, decided.again_in)


def test_a_refused_pod_is_given_up_after_the_pending_timeout_with_the_reason_it_waited_for():
    old = open_attempt(**NO_POD_YET, since=ago(61))
    decided = decide(old, refusal=Refusal(Reason.QUOTA_EXCEEDED, "exceeded quota: small", NOW), pendingTimeout="60s")

    assert ("failed", "QuotaExceeded") == (decided.status.state, decided.status.reason)
    assert "exceeded quota: small" in decided.status.message


def test_a_pod_that_can_never_be_made_fails_at_once():
    refusal = Refusal(Reason.INVALID_POD, "spec.volumes: wrong", NOW, final=True)
    decided = decide(open_attempt(**NO_POD_YET), refusal=refusal)

    assert ("failed", "InvalidPod") == (decided.status.state, decided.status.reason)


# --- held up ---


@pytest.mark.parametrize(
    ("facts", "reason", "says"),
    [
        ({"conditions": UNSCHEDULABLE, "node": ""}, "Unschedulable", "0/1 nodes"),
        ({"conditions": GATED, "node": ""}, "SchedulingGated", "Kueue"),
        ({"runner": waiting("ErrImagePull", "not found")}, "ImagePull", "not found"),
        ({"runner": waiting("ImagePullBackOff", "Back-off")}, "ImagePull", "Back-off"),
        ({"sidecar": waiting("ImagePullBackOff", "Back-off")}, "ImagePull", "Back-off"),
        ({"runner": waiting("CreateContainerConfigError", 'secret "x" not found')}, "ContainerConfig", '"x"'),
        ({"runner": waiting("ContainerCreating")}, "Starting", "node-1"),
        ({"runner": waiting("PodInitializing"), "sidecar": {"running": {}}}, "PullingImage", "is being pulled"),
        (inits({"running": {}}), "FetchingBundle", "bundle sales, version c0ffee, is being fetched on node node-1"),
        (inits(waiting("PodInitializing")), "PullingImage", "the image that fetches bundle sales"),
        (inits(waiting("ImagePullBackOff", "Back-off x")), "ImagePull", "Back-off x"),
        (inits(waiting("CreateContainerConfigError", 'secret "g" not found')), "ContainerConfig", '"g"'),
    ],
)
def test_an_attempt_that_is_held_up_says_by_what(facts, reason, says):
    asked = {"source": None, "bundle": {"name": "sales", "version": "c0ffee"}, "file": "load.py"}
    decided = decide(open_attempt(reason="Pending"), pod(**facts), **asked)

    assert (reason, "queued") == (decided.status.reason, decided.status.state)
    assert says in decided.status.message
    assert None is decided.act


@pytest.mark.parametrize(
    ("facts", "status", "ends_as"),
    [
        ({"conditions": UNSCHEDULABLE, "node": ""}, {"since": ago(601)}, "Unschedulable"),
        ({"runner": waiting("ContainerCreating")}, {"since": ago(601)}, "Pending"),
        ({"runner": waiting("ImagePullBackOff")}, {"failingSince": ago(181)}, "ImagePullFailed"),
        ({"runner": waiting("ErrImageNeverPull")}, {}, "ImagePullFailed"),
        ({"runner": waiting("InvalidImageName")}, {}, "ImagePullFailed"),
        ({"runner": waiting("CreateContainerConfigError")}, {"failingSince": ago(46)}, "InvalidPod"),
    ],
)
def test_what_waited_too_long_is_stopped_and_fails_with_the_reason_it_waited_for(facts, status, ends_as):
    before = open_attempt(**status)
    decided = decide(before, pod(**facts))
    assert (Delete("hello-1", POD_UID), ends_as) == (decided.act, decided.status.stopping)

    stopped = before | {"stopping": ends_as, "message": decided.status.message}
    over = decide(stopped, pod(**facts, gone=True, deleting=True))
    assert ("failed", ends_as, True) == (over.status.state, over.status.reason, bool(over.status.finished_at))


def test_a_scheduling_gate_is_waited_for_without_end():
    assert None is decide(open_attempt(since=ago(100_000)), pod(conditions=GATED, node="")).act


def test_a_pod_that_is_on_its_way_is_not_worth_a_write():
    decided = decide(open_attempt(reason="Pending", since=ago(1)), pod(runner=waiting("ContainerCreating")))

    assert None is decided.status
    assert 2.0 == pytest.approx(decided.again_in, abs=0.01)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        (About.IMAGE, "ImagePull"),
        (About.CONFIG, "ContainerConfig"),
        (About.VOLUME, "VolumeMount"),
        (About.OTHER, "Starting"),
    ],
)
def test_what_a_kubelet_complains_of_is_said_where_the_pods_status_is_silent(about, reason):
    silent = msgspec.structs.replace(
        pod(runner=waiting("PodInitializing")), complaint=Complaint(about, "the complaint")
    )
    decided = decide(open_attempt(reason="Pending"), silent)

    assert reason == decided.status.reason
    assert decided.status.message.startswith("the complaint")


# --- running ---


def test_a_runner_that_runs_makes_the_task_run():
    decided = decide(open_attempt(), pod(runner=RUNNING, sidecar={"running": {}}, conditions=SCHEDULED))

    assert ("running", "Running", "node-1") == (decided.status.state, decided.status.reason, decided.status.node)
    assert {"podScheduled", "runnerStarted"} <= set(decided.status.timeline)


def test_a_task_that_outlives_its_timeout_and_its_sidecars_stop_is_stopped_by_the_operator():
    running = pod(runner={"running": {"startedAt": ago(370)}}, sidecar={"running": {}})

    assert None is decide(open_attempt(), running, executionTimeout="11s").act
    decided = decide(open_attempt(), running, executionTimeout="9s")
    assert (Delete("hello-1", POD_UID), "TimedOut") == (decided.act, decided.status.stopping)


@pytest.mark.parametrize("facts", [{"runner": RUNNING}, {"conditions": UNSCHEDULABLE, "node": ""}])
def test_cancel_stops_the_pod_and_remembers_why_before_it_does(facts):
    decided = decide(open_attempt(), pod(**facts), cancel=True)

    assert (Delete("hello-1", POD_UID), "Cancelled") == (decided.act, decided.status.stopping)


def test_cancel_before_a_pod_is_over_at_once():
    for status in ({}, open_attempt(**NO_POD_YET)):
        decided = decide(status, cancel=True)
        assert ("failed", "Cancelled", None) == (decided.status.state, decided.status.reason, decided.act)


def test_a_stop_that_an_operator_did_not_live_to_carry_out_is_carried_out_by_the_next():
    assert Delete("hello-1", POD_UID) == decide(open_attempt(stopping="TimedOut"), pod(runner=RUNNING)).act


# --- after the end ---


def test_success_is_over():
    decided = decide(open_attempt(state="running"), pod(runner=ended(), record=record(R.SUCCEEDED)))

    assert ("success", "Succeeded", "9.00s", None) == (
        decided.status.state, decided.status.reason, decided.status.duration, decided.act,
    )  # fmt: skip
    shown = {"Admitted": "True", "Running": "False", "Scheduled": "True", "ServerReachable": "Unknown"}
    assert shown | {"Succeeded": "True"} == {c["type"]: c["status"] for c in decided.status.conditions}
    assert {"sidecarListening", "taskStarted", "finished"} <= set(decided.status.timeline)


def test_a_failed_try_is_followed_by_the_next_in_a_pod_of_another_number():
    crashed = pod(runner=ended(1), record=record(R.RETRY))
    first = decide(open_attempt(state="running"), crashed, retries=1)
    assert ("up_for_retry", "WaitingForRetry", 2) == (first.status.state, first.status.reason, first.status.try_number)
    assert (None, None) == (first.status.pod_ref, first.act)

    waited = msgspec.to_builtins(first.status)
    second = decide(waited, crashed, retries=1)
    assert (2, 2, None) == (second.status.attempt, second.status.try_number, second.status.pod_ref)
    assert Create(2) == decide(msgspec.to_builtins(second.status), None, retries=1).act


def test_the_attempt_that_follows_an_eviction_belongs_to_the_same_try():
    evicted = pod(runner=ended(143), record=record(R.INTERRUPTED), conditions=[
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "drain"}
    ])  # fmt: skip
    first = decide(open_attempt(state="running"), evicted, retries=1)
    second = decide(msgspec.to_builtins(first.status), evicted, retries=1)

    assert ("Evicted", 1) == (first.status.reason, first.status.infra_reruns)
    assert (2, 1) == (second.status.attempt, second.status.try_number)


def test_the_next_attempt_waits_for_its_delay():
    waiting_status = open_attempt(podRef=None, attempts=[{"attempt": 1, "try": 1}], nextAttemptAt=ago(-30))

    assert (None, 30.0) == (decide(waiting_status).status, decide(waiting_status).again_in)


def test_a_sidecar_that_outlived_its_runner_is_removed_with_its_pod_before_the_next_attempt():
    lost = pod(runner=ended(83, seconds_ago=200), sidecar={"running": {}})

    assert Delete("hello-1", POD_UID) == decide(open_attempt(), lost, retries=1).act


def test_a_taskrun_that_is_over_changes_no_more_and_goes_when_its_time_has_passed():
    over = open_attempt(state="success", reason="Succeeded", finishedAt=ago(10), attempts=[{"attempt": 1}])

    decided = decide(over, pod(runner=ended(), phase="Succeeded"))

    assert (None, None) == (decided.status, decided.act)
    assert Forget() == decide(over, ttlAfterSuccess="9s").act
    assert None is decide(over | {"state": "failed"}, ttlAfterSuccess="9s").act


def test_a_pod_that_is_still_alive_when_all_is_over_is_removed():
    over = open_attempt(state="failed", finishedAt=ago(10), attempts=[{"attempt": 1}])

    assert Delete("hello-1", POD_UID) == decide(over, pod(runner=RUNNING)).act


def test_a_taskrun_that_is_being_deleted_is_left_to_the_garbage_collector():
    deleted = body(status=open_attempt())
    deleted["metadata"]["deletionTimestamp"] = ago(1)
    decided = plan(case(read(deleted), pod(runner=RUNNING)))

    assert (None, None, None) == (decided.status, decided.act, decided.again_in)


# --- the promise itself ---

PODS = [
    None,
    pod_body(conditions=UNSCHEDULABLE, node=""),
    pod_body(runner=waiting("ImagePullBackOff")),
    pod_body(runner=RUNNING, sidecar={"running": {}}),
    pod_body(runner=RUNNING, deleting=True),
    pod_body(runner=ended(143), record=record(R.INTERRUPTED)),
    pod_body(runner=ended(0), record=record(R.SUCCEEDED)),
    pod_body(runner=ended(1), record=record(R.RETRY)),
    pod_body(owner="another"),
]
STATUSES = [{}, open_attempt(**NO_POD_YET), open_attempt(), open_attempt(stopping="Cancelled"), open_attempt(2)]
SPECS = [{}, {"retries": 2}, {"cancel": True}, {"suspend": True}, {"executionTimeout": "1s"}]


@pytest.mark.parametrize(("status", "spec"), list(itertools.product(STATUSES, SPECS)))
def test_a_written_status_leads_to_no_other_word_about_the_same_facts(status, spec):
    """Else two operators, or one that is asked twice, would write in circles."""
    for made in PODS:
        facts = observe(made) if made is not None else None
        seen = []
        now_status = status
        for _ in range(12):
            decided = decide(now_status, facts, **spec)
            if decided.status is None:
                break
            # A pod's number moves on with each attempt, so the old pod does not belong to the next one.
            now_status = msgspec.to_builtins(decided.status)
            seen.append((now_status.get("reason"), now_status.get("attempt")))
            if (
                now_status.get("podRef") is None
                and facts is not None
                and facts.name != f"hello-{now_status.get('attempt')}"
            ):
                facts = None
        else:
            pytest.fail(f"it never comes to rest: {seen}")


@pytest.mark.parametrize(("status", "spec"), list(itertools.product(STATUSES, SPECS)))
def test_no_pod_is_made_before_its_number_is_written(status, spec):
    for made in PODS:
        facts = observe(made) if made is not None else None
        decided = decide(status, facts, **spec)
        if isinstance(decided.act, Create):
            assert decided.act.attempt == status["attempt"]
            assert None is facts


# --- a token that somebody else minted ---

SECRET = {"token": "Secret", "taskInstanceId": "i", "dagVersionId": "v", "runId": "r"}


def admitted(**spec):
    found = plan(case(run(status=open_attempt(), **spec), pod(runner=RUNNING, sidecar={"running": {}}))).status
    return next(c["message"] for c in found.conditions if c["type"] == "Admitted")


def test_an_administrator_reads_where_nothing_narrows_what_airflow_lets_a_task_do():
    assert "pod hello-1 was made" == admitted()
    assert AS_AIRFLOW in admitted(**SECRET)
    assert AS_AIRFLOW not in admitted(**SECRET, access={"connections": []})
    assert AS_AIRFLOW in admitted(**SECRET, access={})


# --- a pod that its TaskRun left behind ---


def test_an_orphan_that_has_ended_is_not_waited_for():
    decided = decide(open_attempt(**NO_POD_YET), pod(owner="", runner=ended()))

    assert ("failed", "InvalidPod", None) == (decided.status.state, decided.status.reason, decided.act)
    assert "a pod named hello-1 is there" in decided.status.message


def test_an_orphan_that_runs_and_a_pod_whose_owner_takes_it_are_waited_for():
    for there in (pod(owner="", runner=RUNNING), pod(owner="another", runner=ended())):
        assert "Pending" == decide(open_attempt(**NO_POD_YET), there).status.reason


# --- what people read ---


@pytest.mark.parametrize(
    ("marks", "seconds_ago", "shows"),
    [
        ({}, 10.0, "<1s"),
        ({"connected": 1000.0, "ended": 1000.25}, 10.0, "0.25s"),
        ({"connected": 1000.0, "ended": 1000.001}, 10.0, "0.01s"),
        ({"connected": 1000.0, "ended": 1090.0}, 10.0, "<1s"),
        ({"connected": 1000.0, "ended": 999.0}, 10.0, "<1s"),
        ({"connected": 1000.0, "ended": 1001.5}, 8.0, "1.50s"),
        ({}, 8.0, "2.00s"),
    ],
)
def test_a_short_run_is_not_shown_as_none(marks, seconds_ago, shows):
    there = pod(
        runner=ended(seconds_ago=seconds_ago), record=msgspec.structs.replace(record(R.SUCCEEDED), timeline=marks)
    )

    assert shows == decide(open_attempt(state="running"), there).status.duration


@pytest.mark.parametrize("there", [None, pod(gone=True), pod(runner=ended(143), record=record(R.INTERRUPTED))])
def test_a_cancelled_taskrun_says_once_that_it_was(there):
    told = {"stopping": "Cancelled", "message": "cancelled by spec.cancel"}
    decided = decide(open_attempt(**told), there, cancel=True)

    assert "Cancelled" == decided.status.reason
    assert 1 == decided.status.message.count("cancelled by spec.cancel")


# --- limits ---


def test_a_taskrun_that_must_wait_for_a_slot_says_so_in_words():
    decided = decide({"seenAt": ago(10)}, queued="4 of 4 TaskRuns are under way in namespace team", waited=4.0)

    assert ("queued", "Queued", None) == (decided.status.state, decided.status.reason, decided.act)
    assert "4 of 4 TaskRuns" in decided.status.message
    assert 0 == decided.status.attempt


def test_a_wait_of_a_moment_is_not_worth_a_status():
    decided = decide({"seenAt": ago(10)}, queued="4 of 4 TaskRuns are under way in namespace team", waited=1.0)

    assert (None, 2.0) == (decided.status, decided.again_in)


def test_only_what_begins_an_attempt_needs_a_slot():
    assert decide({"seenAt": ago(10)}).begins
    assert not decide({"seenAt": ago(10)}, suspend=True).begins
    assert not decide({"seenAt": ago(10)}, cancel=True).begins
    assert not decide(open_attempt(), pod(runner=RUNNING)).begins
