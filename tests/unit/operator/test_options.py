"""Which options of a task count for its TaskRun, and who said so."""

import pytest
from doubles.taskruns import open_attempt, run

from airlock_operator.decide.ending import End
from airlock_operator.decide.next_attempt import Again, Over, after
from airlock_operator.observe import options
from airlock_operator.observe.options import counted
from airlock_operator.reasons import Reason
from airlock_wire.options import TaskOptions
from airlock_wire.taskrun import Option

TOLD = TaskOptions(retries=2, retry_delay_seconds=1.5, execution_timeout_seconds=4)


def test_what_the_taskrun_says_counts_before_what_the_task_says():
    found = counted(run(retries=1, executionTimeout="1m"), TOLD)

    assert {
        "retries": Option("1", "TaskRun"),
        "executionTimeout": Option("1m", "TaskRun"),
        "retryDelay": Option("1.5s", "Task"),
    } == found


def test_how_a_tasks_delay_grows_is_shown_unless_the_taskrun_says_the_delay():
    grows = TaskOptions(retry_delay_seconds=1.5, retry_exponential_backoff=2.0, max_retry_delay_seconds=90)
    shown = counted(run(), grows)

    assert (Option("2", "Task"), Option("90s", "Task")) == (shown["retryExponentialBackoff"], shown["maxRetryDelay"])
    assert {"retries", "retryDelay"} == counted(run(retryDelay="1s"), grows).keys()


def test_what_nobody_says_is_the_default():
    assert {"retries": Option("0", "Default"), "retryDelay": Option("0s", "Default")} == counted(run(), None)


def test_what_a_task_said_once_counts_for_the_attempts_after_it():
    known = run(status=open_attempt(options={"retries": {"value": "2", "from": "Task"}}))

    assert Option("2", "Task") == counted(known, None)["retries"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ("retries", "retry_delay", "execution_timeout")),
        ({"retries": 0, "executionTimeout": "1m"}, ("retry_delay",)),
        ({"runner": "airflow"}, ()),
        ({"token": "Secret", "taskInstanceId": "x"}, ()),
    ],
)
def test_the_sidecar_is_asked_for_what_the_taskrun_leaves_out(spec, expected):
    assert expected == options.undecided(run(**spec))


@pytest.mark.parametrize("reason", [Reason.RETRY, Reason.CRASHED, Reason.OOM_KILLED, Reason.TIMED_OUT])
@pytest.mark.parametrize(("tries", "again"), [(1, True), (2, True), (3, False)])
def test_the_tasks_own_retries_are_used_up_like_the_taskruns(reason, tries, again):
    followed = after(run(status=open_attempt(**{"try": tries})), End(reason, "why", begun=True, options=TOLD))

    assert again == isinstance(followed, Again)
    assert not isinstance(followed, Again) or (tries + 1, 1.5) == (followed.try_number, followed.delay_seconds)


def test_a_delay_that_the_author_did_not_write_does_not_count():
    found = counted(run(retries=1), TaskOptions())

    assert {"retries": Option("1", "TaskRun"), "retryDelay": Option("0s", "Default")} == found


def test_a_task_that_asks_for_a_retry_before_it_could_say_how_many_gets_it():
    assert isinstance(after(run(status=open_attempt()), End(Reason.RETRY, "why", begun=True)), Again)
    assert isinstance(after(run(status=open_attempt(), retries=0), End(Reason.RETRY, "why", begun=True)), Over)


def test_a_launch_that_is_lost_is_run_again_where_the_task_has_retries():
    lost = End(Reason.EVICTED, "why", begun=True, options=TOLD)

    assert isinstance(after(run(status=open_attempt()), lost), Again)
    assert isinstance(after(run(status=open_attempt()), End(Reason.EVICTED, "why", begun=True)), Over)
