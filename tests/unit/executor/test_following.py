"""What a change of a TaskRun means for its launch, when a token is renewed, and what a scheduler takes over."""

import pytest

from airlock_executor.launch import following, identity, tokens
from airlock_executor.launch.following import Launch
from airlock_executor.launch.observed import Metadata, Observed, Spec, Status
from airlock_executor.launch.outcomes import End
from airlock_executor.launch.tokens import UNKNOWN, TokenLife


def launch(**more):
    return Launch("key", "airflow", "run", "ti", **more)


def observed(reason="", message="", finished=False, name="run", created="1", cancel=False, launch_id=""):
    return Observed(
        Metadata(name, "airflow", creation_timestamp=created, labels={identity.LAUNCH: launch_id}),
        Spec(task_instance_id="ti", cancel=cancel),
        Status(reason, message, finished_at="2026-01-01T00:00:00Z" if finished else ""),
    )


def test_a_reason_to_wait_is_a_note_the_first_time():
    own = launch()
    first = following.follow(own, observed("QuotaExceeded", "pods=3"))

    assert "QuotaExceeded: pods=3 (TaskRun airflow/run)" == first.note.text
    assert following.NOTHING == following.follow(own, observed("QuotaExceeded", "pods=3"))


@pytest.mark.parametrize("reason", ["Pending", "Starting", "PullingImage", "Running", "Suspended", ""])
def test_what_goes_its_way_is_not_worth_a_note(reason):
    assert following.NOTHING == following.follow(launch(), observed(reason))


def test_an_attempt_after_a_lost_one_has_not_begun():
    own = launch()
    following.follow(own, observed("Running"))
    assert own.begun
    following.follow(own, observed("Pending"))
    assert not own.begun


def test_a_taskrun_that_is_deleted_after_its_end_ended_as_it_says():
    step = following.follow(launch(), observed("Succeeded", finished=True), deleted=True)

    assert End.ORDERLY is step.outcome.end


def test_a_taskrun_that_is_deleted_before_its_end_failed():
    step = following.follow(launch(), observed("Running"), deleted=True)

    assert (End.FAILED, "Deleted") == (step.outcome.end, step.outcome.reason)


@pytest.mark.parametrize(
    ("life", "now", "begun", "due"),
    [
        (TokenLife(0, 600), 299, False, False),
        (TokenLife(0, 600), 300, False, True),
        (TokenLife(0, 600), 900, True, False),
        (UNKNOWN, 0, False, True),
    ],
)
def test_a_token_is_renewed_at_half_of_its_life_until_it_was_used(life, now, begun, due):
    assert due == tokens.due(life, now, begun=begun)


@pytest.mark.parametrize(
    ("taskruns", "launch_id", "running", "name"),
    [
        ([], "l", False, None),
        # What the scheduler wrote down counts most.
        ([observed("Running", launch_id="l"), observed("Running", name="new", created="2")], "l", True, "run"),
        # The launch of before was deferred; the one that is queued has no TaskRun yet.
        ([observed("Deferred", finished=True)], "other", False, None),
        # It never began, and its scheduler did not see its end.
        ([observed("ImagePullFailed", finished=True, launch_id="l")], "l", False, "run"),
        ([observed("Crashed", finished=True)], "other", True, "run"),
        ([observed("Succeeded", finished=True)], None, True, "run"),
        # One that was made anew has another launch's id.
        ([observed("InfraBudgetExhausted", finished=True), observed("Pending", name="new", created="2")], "x", False, "new"),
        ([observed("Pending", cancel=True), observed("Deferred", finished=True, name="old")], "x", False, None),
        # The platform took the launch of before, and its try was saved.
        ([observed("Evicted", finished=True)], "other", False, None),
    ],
)  # fmt: skip
def test_a_scheduler_takes_over_the_launch_that_counts(taskruns, launch_id, running, name):
    chosen = following.chosen(taskruns, launch_id, running=running)

    assert name == (chosen.metadata.name if chosen is not None else None)


def test_a_launch_that_is_taken_over_knows_what_was_before_it():
    metadata = Metadata("run", "airflow", annotations=identity.annotations(resumed=False, losses=2))
    own = following.taken_over(Observed(metadata, Spec(task_instance_id="ti")), "key")

    assert (("airflow", "run"), "ti", 2, False) == (own.place, own.ti_id, own.losses, own.resumed)
    assert UNKNOWN == own.token
