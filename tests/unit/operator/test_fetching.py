"""What the operator does about an attempt whose bundle is fetched first."""

import msgspec
from doubles.taskruns import POD_UID, ago, decide, ended, inits, open_attempt, pod

from airlock_operator.decide.plan import Delete
from airlock_operator.observe.complaints import About, Complaint


def test_a_fetch_that_goes_on_is_given_up_after_the_pending_timeout():
    decided = decide(
        open_attempt(reason="FetchingBundle", since=ago(61)), pod(**inits({"running": {}})), pendingTimeout="60s"
    )

    assert ("FetchingBundle", Delete("hello-1", POD_UID)) == (decided.status.stopping, decided.act)


def test_what_a_kubelet_complained_of_before_the_fetch_does_not_end_it():
    stale = msgspec.structs.replace(
        pod(**inits({"running": {}})), complaint=Complaint(About.IMAGE, "Back-off", hopeless=True)
    )
    decided = decide(open_attempt(failingSince=ago(181)), stale)

    assert ("FetchingBundle", None) == (decided.status.reason, decided.act)


def test_a_short_fetch_is_not_worth_a_write():
    decided = decide(open_attempt(reason="Pending", since=ago(1)), pod(**inits({"running": {}})))

    assert None is decided.status


def failed_fetch():
    bundle = {"name": "bundle", "state": ended(1, message="was not fetched: no")}
    return pod(phase="Failed", initContainerStatuses=[{"name": "sidecar", "state": ended(0)}, bundle])


def test_a_bundle_that_was_not_fetched_is_tried_again_within_the_infra_budget_and_quoted():
    decided = decide(open_attempt(), failed_fetch())

    assert ("BundleFailed", 1, "queued", "") == (
        decided.status.reason, decided.status.infra_reruns, decided.status.state, decided.status.finished_at,
    )  # fmt: skip
    assert "was not fetched: no; see the container bundle in kubectl logs" in decided.status.message


def test_a_bundle_that_is_never_fetched_uses_the_budget_up():
    decided = decide(open_attempt(4, infraReruns=3), failed_fetch())

    assert ("failed", "InfraBudgetExhausted") == (decided.status.state, decided.status.reason)
    assert "last: BundleFailed: was not fetched: no" in decided.status.message
    assert "BundleFailed" == decided.status.attempts[-1].reason


def test_an_executors_task_whose_bundle_was_not_fetched_is_tried_again_too():
    ids = {"taskInstanceId": "i", "dagVersionId": "v", "runId": "r"}
    decided = decide(open_attempt(), failed_fetch(), token="Secret", **ids)

    assert ("BundleFailed", 1) == (decided.status.reason, decided.status.infra_reruns)
