"""How an attempt ended, by the evidence: one row for each line of the failure model, and for who wins over whom."""

import pytest
from doubles.taskruns import NOW, RUNNING, case, ended, open_attempt, pod, record, run

from airlock_operator.decide.ending import End, end_of
from airlock_operator.reasons import Reason
from airlock_wire.options import TaskOptions
from airlock_wire.record import Reason as R
from airlock_wire.record import encode

DISRUPTED = [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "drain"}]
NO_PYTHON = 'runc create failed: exec: "python": executable file not found in $PATH: unknown'
SIDECAR_RUNS = {"running": {}}


def verdict(status=None, **kwargs):
    found = end_of(case(run(status=open_attempt(**(status or {}))), pod(**kwargs)))
    return None if found is None else (found.reason, found.begun)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (R.SUCCEEDED, Reason.SUCCEEDED),
        (R.SKIPPED, Reason.SKIPPED),
        (R.FAILED, Reason.FAILED),
        (R.RETRY, Reason.RETRY),
        (R.CRASHED, Reason.CRASHED),
        (R.OOM_KILLED, Reason.OOM_KILLED),
        (R.TIMED_OUT, Reason.TIMED_OUT),
        (R.SUPERSEDED, Reason.SUPERSEDED),
        (R.ALREADY_FINISHED, Reason.ALREADY_FINISHED),
        (R.TOKEN_EXPIRED, Reason.TOKEN_EXPIRED),
        (R.DENIED, Reason.DENIED),
        (R.REJECTED, Reason.REJECTED),
        (R.RUNNER_NEVER_CONNECTED, Reason.RUNNER_NEVER_CONNECTED),
    ],
)
def test_the_sidecars_record_says_what_happened(told, reason):
    assert (reason, True) == verdict(runner=ended(), record=record(told))


def test_what_the_record_says_of_the_next_try_is_part_of_the_end():
    delays = {"retry_delay_seconds": 7.5, "logical_date": NOW, "options": TaskOptions(retry_exponential_backoff=2.0)}
    found = end_of(case(run(status=open_attempt()), pod(runner=ended(), record=record(R.RETRY, **delays))))

    assert (7.5, NOW, 2.0) == (found.policy_delay, found.logical_date, found.options.retry_exponential_backoff)


def test_every_reason_that_a_record_can_have_is_decided():
    for told in R:
        assert verdict(runner=ended(1), record=record(told)) is not None, told


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"runner": RUNNING, "sidecar": SIDECAR_RUNS}, None),
        ({"runner": ended(), "sidecar": SIDECAR_RUNS}, None),
        ({"runner": ended(seconds_ago=130), "sidecar": SIDECAR_RUNS}, None),
        ({"runner": ended(1, "OOMKilled"), "record": record(R.VANISHED)}, (Reason.OOM_KILLED, True)),
        ({"runner": ended(137, "OOMKilled"), "record": record(R.CRASHED)}, (Reason.OOM_KILLED, True)),
        ({"runner": ended(0, "OOMKilled"), "record": record(R.SUCCEEDED)}, (Reason.SUCCEEDED, True)),
        ({"runner": ended(143), "record": record(R.VANISHED)}, (Reason.CRASHED, True)),
        ({"runner": ended(81), "phase": "Failed"}, (Reason.RUNNER_NEVER_CONNECTED, False)),
        ({"runner": ended(83), "phase": "Failed"}, (Reason.SIDECAR_LOST, True)),
        ({"runner": ended(0), "phase": "Succeeded"}, (Reason.SIDECAR_LOST, True)),
        ({"runner": ended(128, "StartError", message=NO_PYTHON), "phase": "Failed"}, (Reason.CANNOT_EXEC, False)),
        (
            {
                "runner": ended(128, "StartError", message=NO_PYTHON),
                "record": record(R.RUNNER_NEVER_CONNECTED, started=False, timeline={}),
            },
            (Reason.CANNOT_EXEC, False),
        ),
        ({"runner": ended(143), "record": record(R.INTERRUPTED), "conditions": DISRUPTED}, (Reason.EVICTED, True)),
        ({"runner": ended(143), "record": record(R.INTERRUPTED), "deleting": True}, (Reason.POD_DELETED, True)),
        ({"runner": ended(143), "record": record(R.INTERRUPTED)}, (Reason.CRASHED, True)),
        ({"runner": ended(0), "record": record(R.SUCCEEDED), "conditions": DISRUPTED}, (Reason.SUCCEEDED, True)),
        ({"gone": True}, (Reason.POD_DELETED, False)),
        ({"gone": True, "runner": RUNNING}, (Reason.POD_DELETED, True)),
        ({"gone": True, "runner": RUNNING, "conditions": DISRUPTED}, (Reason.EVICTED, True)),
        (
            {"gone": True, "conditions": [DISRUPTED[0] | {"reason": "PreemptionByScheduler"}]},
            (Reason.PREEMPTED, False),
        ),
        (
            {"gone": True, "runner": RUNNING, "conditions": [DISRUPTED[0] | {"reason": "DeletionByTaintManager"}]},
            (Reason.NODE_LOST, True),
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory"},
            (Reason.EVICTED, False),
        ),
        (
            {
                "phase": "Failed",
                "reason": "Evicted",
                "message": "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi",
                "runner": ended(137),
            },
            (Reason.STORAGE_EXCEEDED, True),
        ),
        ({"phase": "Failed", "reason": "NodeAffinity", "message": "no"}, (Reason.POD_DELETED, False)),
    ],
)
def test_where_the_record_is_silent_the_pod_tells(kwargs, expected):
    assert expected == verdict(**kwargs)


def test_what_the_operator_stopped_ended_for_the_operators_reason():
    stopped = {"stopping": "TimedOut", "message": "too long"}

    assert (Reason.TIMED_OUT, True) == verdict(stopped, runner=ended(143), record=record(R.INTERRUPTED), deleting=True)
    assert (Reason.TIMED_OUT, True) == verdict(stopped, runner=RUNNING, gone=True)
    assert (Reason.SUCCEEDED, True) == verdict(stopped, runner=ended(0), record=record(R.SUCCEEDED), deleting=True)


def test_a_launch_whose_task_was_never_handed_over_has_not_begun():
    assert (Reason.POD_DELETED, False) == verdict(
        runner=ended(143), record=record(R.INTERRUPTED, started=False), deleting=True
    )


def test_a_pod_that_nobody_saw_go_counts_as_begun():
    found = end_of(case(run(status=open_attempt())))

    assert (Reason.POD_DELETED, True) == (found.reason, found.begun)


def test_a_task_that_was_finished_before_keeps_the_servers_state():
    found = end_of(
        case(run(status=open_attempt()), pod(runner=ended(), record=record(R.ALREADY_FINISHED, state="skipped")))
    )

    assert "skipped" == found.state


def test_what_user_code_writes_as_its_termination_message_is_ignored():
    forged = '{"reason": "Succeeded", "timeline": {"started": 1}}'

    assert (Reason.SIDECAR_LOST, True) == verdict(runner=ended(0, message=forged), phase="Failed")


# --- a bundle that was not fetched ---

LINE = "airlock-launcher: bundle 'sales', version 'c0ffee', was not fetched: Authentication failed"


def fetching(code, message="", reason=""):
    fetcher = {"name": "bundle", "state": ended(code, reason, message=message)}
    return {"initContainerStatuses": [{"name": "sidecar", "state": {}}, fetcher]}


def test_a_bundle_that_was_not_fetched_is_told_in_the_last_line_of_what_fetches_it():
    found = end_of(
        case(run(status=open_attempt()), pod(phase="Failed", **fetching(1, f"2026 [info] cloning\n{LINE}\n\n")))
    )

    assert End(Reason.BUNDLE_FAILED, LINE, begun=False) == found


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ((80,), "exit code 80 (Error)"),
        ((128, 'exec: "python": not found', "StartError"), "not found"),
        ((137, "", "OOMKilled"), "killed for memory"),
    ],
)
def test_one_that_cannot_start_or_has_too_little_memory_is_told_too(how, says):
    found = end_of(case(run(status=open_attempt()), pod(phase="Failed", **fetching(*how))))

    assert (Reason.BUNDLE_FAILED, True, False) == (found.reason, says in found.message, found.begun)


def test_it_is_so_also_where_the_sidecar_recorded_that_nobody_came_for_a_bundle():
    statuses = fetching(1, LINE)
    told = {"terminated": {"exitCode": 0, "message": encode(record(R.RUNNER_NEVER_CONNECTED, started=False)).decode()}}
    statuses["initContainerStatuses"][0]["state"] = told

    assert (Reason.BUNDLE_FAILED, False) == verdict(phase="Failed", **statuses)


def test_a_fetch_that_was_taken_away_is_what_the_pods_evidence_says():
    assert (Reason.EVICTED, False) == verdict(phase="Failed", reason="Evicted", message="node", **fetching(137))
    assert (Reason.POD_DELETED, False) == verdict(phase="Failed", deleting=True, **fetching(143))
    assert (Reason.CANCELLED, False) == verdict(
        {"stopping": "Cancelled"}, phase="Failed", deleting=True, **fetching(143)
    )


def test_a_fetch_that_the_operator_stopped_ended_for_the_operators_reason():
    assert (Reason.CANCELLED, False) == verdict(
        {"stopping": "Cancelled"}, phase="Failed", deleting=True, **fetching(1, LINE)
    )


def test_a_bundle_that_is_too_large_is_the_bundles_and_not_the_users():
    message = 'Usage of EmptyDir volume "airlock-bundle-work" exceeds the limit "1Gi". '
    found = end_of(
        case(run(status=open_attempt()), pod(phase="Failed", reason="Evicted", message=message, **fetching(137)))
    )

    assert (Reason.BUNDLE_FAILED, False) == (found.reason, found.begun)
    assert found.message.endswith('exceeds the limit "1Gi"; an administrator raises the bundle\'s sizeLimit')


def test_a_fetch_that_did_its_work_says_nothing():
    assert (Reason.POD_DELETED, False) == verdict(phase="Failed", gone=True, **fetching(0))
