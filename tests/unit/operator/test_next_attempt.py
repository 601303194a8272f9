"""What follows an attempt's end, for a TaskRun that kubectl made: which budget pays, and when it is over."""

from datetime import UTC, datetime

import msgspec
import pytest
from doubles.taskruns import open_attempt, run

from airlock_operator.decide.ending import End
from airlock_operator.decide.next_attempt import Again, Over, after
from airlock_operator.observe.options import counted
from airlock_operator.reasons import Kind, Reason
from airlock_wire.options import TaskOptions
from airlock_wire.retry_delay import next_delay


def follows(reason, *, begun=True, status=None, **spec):
    found = after(run(status=open_attempt(**(status or {})), **spec), End(reason, "why", begun))
    if isinstance(found, Over):
        return "over", found.state, found.reason
    return "again", found.try_number, ("infra" if found.infra else "token" if found.token else "user")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_followed_by_something(reason):
    kind = "over" if reason.kind in (Kind.OVER, Kind.WAITS) else "again"

    assert kind == follows(reason, retries=1)[0]


@pytest.mark.parametrize("reason", [r for r in Reason if r.kind is Kind.USER])
def test_what_the_task_did_itself_burns_a_try(reason):
    assert ("again", 2, "user") == follows(reason, retries=1)
    expected = Reason.FAILED if reason is Reason.RETRY else reason
    assert ("over", "failed", expected) == follows(reason, retries=0)
    assert ("over", "failed", expected) == follows(reason, retries=1, status={"try": 2})


@pytest.mark.parametrize("reason", [r for r in Reason if r.kind is Kind.INFRA])
@pytest.mark.parametrize(
    ("begun", "spec", "expected"),
    [
        (False, {}, "again"),
        (True, {}, "over"),
        (True, {"retries": 1}, "again"),
        (True, {"rerunAfterStart": True}, "again"),
    ],
)
def test_what_the_platform_did_is_run_again_where_that_can_do_no_harm(reason, begun, spec, expected):
    found = follows(reason, begun=begun, **spec)

    assert expected == found[0]
    if expected == "again":
        assert ("again", 1, "infra") == found
    else:
        assert ("over", "failed", reason) == found


def test_a_pod_that_vanished_is_retried_on_the_infra_budget():
    assert ("again", 1, "infra") == follows(Reason.POD_DELETED, retries=1, status={"infraReruns": 2})


def test_the_infra_budget_ends():
    exhausted = Reason.INFRA_BUDGET_EXHAUSTED

    assert ("over", "failed", exhausted) == follows(Reason.EVICTED, begun=False, status={"infraReruns": 3})
    assert ("over", "failed", exhausted) == follows(Reason.EVICTED, begun=False, infraBudget=0)


def test_a_refused_token_is_minted_again_three_times_and_burns_nothing():
    assert ("again", 1, "token") == follows(Reason.TOKEN_EXPIRED, status={"tokenReruns": 2})
    assert ("over", "failed", Reason.TOKEN_EXPIRED) == follows(Reason.TOKEN_EXPIRED, status={"tokenReruns": 3})


def test_a_cancelled_taskrun_has_no_successor_but_a_reported_state_stands():
    assert ("over", "failed", Reason.CANCELLED) == follows(Reason.CRASHED, cancel=True, retries=5)
    assert ("over", "failed", Reason.CANCELLED) == follows(Reason.POD_DELETED, cancel=True, retries=5)
    assert ("over", "success", Reason.SUCCEEDED) == follows(Reason.SUCCEEDED, cancel=True)


SECRET = {"token": "Secret", "taskInstanceId": "i", "dagVersionId": "v", "runId": "r"}


@pytest.mark.parametrize("reason", [r for r in Reason if r.kind in (Kind.USER, Kind.INFRA, Kind.TOKEN)])
def test_whoever_minted_the_token_decides_about_what_had_begun(reason):
    state = "up_for_retry" if reason is Reason.RETRY else "failed"

    assert ("over", state, reason) == follows(reason, **SECRET)


@pytest.mark.parametrize("reason", [r for r in Reason if r.kind is Kind.INFRA])
def test_what_never_began_is_made_again_whoever_owns_it(reason):
    assert ("again", 1, "infra") == follows(reason, begun=False, **SECRET)
    exhausted = follows(reason, begun=False, status={"infraReruns": 3}, **SECRET)
    assert ("over", "failed", Reason.INFRA_BUDGET_EXHAUSTED) == exhausted


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (Reason.DEFERRED, "deferred"),
        (Reason.RESCHEDULED, "up_for_reschedule"),
        (Reason.AWAITING_INPUT, "awaiting_input"),
    ],
)
def test_a_task_that_waits_ends_its_taskrun_as_it_reported(reason, state):
    assert ("over", state, reason) == follows(reason, **SECRET) == follows(reason)


def test_a_refused_token_is_its_minters_to_renew():
    assert ("over", "failed", Reason.TOKEN_EXPIRED) == follows(Reason.TOKEN_EXPIRED, begun=False, **SECRET)


def test_a_first_try_number_above_one_is_counted_from_there():
    assert ("again", 6, "user") == follows(Reason.CRASHED, retries=1, tryNumber=5, status={"try": 5})
    assert ("over", "failed", Reason.CRASHED) == follows(Reason.CRASHED, retries=1, tryNumber=5, status={"try": 6})


def test_the_next_try_waits_for_the_retry_delay():
    found = after(run(status=open_attempt(), retries=1, retryDelay="1m30s"), End(Reason.CRASHED, "why", begun=True))

    assert isinstance(found, Again)
    assert (90.0, "up_for_retry") == (found.delay_seconds, found.state)


GROWS = TaskOptions(retries=9, retry_delay_seconds=60.0, retry_exponential_backoff=2.0, max_retry_delay_seconds=500.0)
DATE = datetime(2026, 1, 1, tzinfo=UTC)


def waits(tries, *, spec=None, status=None, **end):
    attempt = open_attempt(**{"try": tries}, **(status or {}))
    found = after(run(status=attempt, **(spec or {})), End(Reason.RETRY, "why", begun=True, **end))
    assert isinstance(found, Again)
    return found.delay_seconds


def airflows(tries, **more):
    names = {"dag_id": "d", "task_id": "t", "logical_date": DATE}
    return next_delay(**names, try_number=tries, delay_seconds=60.0, factor=2.0, **more)


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_delay_grows_from_try_to_try_as_airflows(tries):
    assert airflows(tries) == waits(tries, options=GROWS, logical_date=DATE)
    assert 60 * 2 ** (tries - 1) <= airflows(tries) < 60 * 2**tries


def test_a_delay_grows_to_the_tasks_bound():
    assert 500 == waits(8, options=GROWS, logical_date=DATE)


def test_a_delay_that_the_task_said_once_grows_for_the_attempts_after_it():
    """A killed sidecar leaves no record: what an earlier one said is in the status."""
    known = {"options": msgspec.to_builtins(counted(run(), GROWS))}

    assert airflows(2, task_max_seconds=500.0) == waits(2, status=known, logical_date=DATE)


@pytest.mark.parametrize(
    ("spec", "options", "expected"),
    [
        ({}, GROWS, 1800.0),
        ({}, None, 1800.0),
        ({"retries": 3}, None, 1800.0),
        ({"runner": "airflow", "retries": 3}, None, 1800.0),
        ({"retryDelay": "5s"}, GROWS, 5.0),
    ],
)
def test_a_policys_own_delay_counts_unless_the_taskrun_says_one(spec, options, expected):
    assert expected == waits(2, spec=spec, options=options, policy_delay=1800.0)


def test_a_policys_delay_of_nothing_is_a_delay():
    assert 0 == waits(1, options=GROWS, policy_delay=0.0)


def test_the_taskruns_own_delay_does_not_grow():
    assert 5 == waits(4, spec={"retryDelay": "5s"}, options=GROWS, logical_date=DATE)


def test_the_platforms_reruns_wait_for_nothing():
    lost = after(run(status=open_attempt()), End(Reason.EVICTED, "why", begun=True, options=GROWS, policy_delay=9.0))

    assert isinstance(lost, Again)
    assert 0 == lost.delay_seconds
