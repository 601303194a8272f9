"""What the end of a TaskRun means: total over the operator's reasons."""

import pytest

from airlock_executor.launch import outcomes
from airlock_executor.launch.outcomes import End
from airlock_operator.reasons import Kind, Reason


def test_every_reason_of_the_operator_is_in_the_table():
    assert {reason.value for reason in Reason} == set(outcomes.TABLE)


def test_what_is_told_while_it_waits_are_reasons_for_waiting():
    waits = {reason.value for reason in Reason if reason.kind is Kind.WAITS}

    assert outcomes.BLOCKED <= waits
    assert outcomes.BEGUN <= waits


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.kind is Kind.INFRA])
def test_no_loss_to_the_platform_costs_a_try(reason):
    assert outcomes.TABLE[reason] in (End.ANEW, End.SAVE)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.kind is Kind.WAITS])
def test_a_wait_that_took_too_long_is_a_failure(reason):
    assert End.FAILED is outcomes.outcome(reason, "").end


@pytest.mark.parametrize("reason", ["Deferred", "Rescheduled", "AwaitingInput"])
def test_airflow_is_told_nothing_of_what_comes_again_under_the_same_key(reason):
    assert (End.SILENT, "") == (outcomes.outcome(reason, "text").end, outcomes.outcome(reason, "text").text)


def test_a_failure_says_its_reason_and_its_message():
    assert "OOMKilled: its limit was 256Mi" == outcomes.outcome("OOMKilled", "its limit was 256Mi").text
    assert "Crashed" == outcomes.outcome("Crashed", "").text


def test_a_reason_of_a_newer_operator_is_a_failure_with_its_words():
    assert (End.FAILED, "NewReason: words") == (
        outcomes.outcome("NewReason", "words").end,
        outcomes.outcome("NewReason", "words").text,
    )
