"""Retry policies: the rules of contract 1.4. tests/contract/sdk has them beside Airflow's."""

import datetime as dt
import logging

import pytest

from airlock.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

POLICY = ExceptionRetryPolicy(
    [
        RetryRule("no.where.Error", RetryAction.FAIL, reason="never"),
        RetryRule(ConnectionError, retry_delay=dt.timedelta(seconds=5)),
        RetryRule(["builtins.OSError", KeyError], RetryAction.FAIL, reason="os"),
        RetryRule(ArithmeticError, RetryAction.FAIL, match_subclasses=False),
    ]
)


@pytest.mark.parametrize(
    ("exception", "decision"),
    [
        # The first rule that matches, although a later one matches too.
        (ConnectionResetError(), RetryDecision.retry(dt.timedelta(seconds=5), "a rule matches ConnectionResetError")),
        (FileNotFoundError(), RetryDecision.fail("os")),
        (KeyError(), RetryDecision.fail("os")),
        (ArithmeticError(), RetryDecision.fail("a rule matches ArithmeticError")),
        (ZeroDivisionError(), RetryDecision.default()),
    ],
)
def test_the_first_rule_that_matches_decides(exception, decision):
    assert decision == POLICY.evaluate(exception, 1, 3)


def test_a_class_that_cannot_be_imported_matches_nothing_and_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        assert not RetryRule("no.where.Error").matches(ValueError())

    assert ["RetryRule: no.where.Error matches nothing: No module named 'no'"] == caplog.messages


def test_a_policy_comes_back_from_plain_data():
    again = ExceptionRetryPolicy.deserialize(POLICY.serialize())

    assert POLICY.serialize() == again.serialize()
    assert RetryAction.FAIL == again.evaluate(KeyError(), 1, 3).action
