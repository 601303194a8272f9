"""Asks the author's retry policy what follows a failure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from airlock_runner.logs import Logs


class Answer(NamedTuple):
    """What a policy said; None where it leaves a thing as it is."""

    should_retry: bool
    delay_seconds: float | None = None
    reason: str | None = None


def ask(
    policy: Any, error: BaseException, ti: Any, context: Mapping[str, Any], logs: Logs, *, should_retry: bool
) -> Answer:
    """Returns the policy's answer. An error in the policy is logged, and leaves all as it is."""
    from airlock.sdk.definitions.retry_policy import RetryAction

    try:
        decision = policy.evaluate(error, ti.try_number, ti.max_tries, context)
    except Exception as e:  # noqa: BLE001 - the author's code
        logs.write("error", f"the retry policy of task {ti.task_id} failed: {type(e).__name__}: {e}", error=e)
        return Answer(should_retry)
    if decision.action == RetryAction.FAIL:
        return Answer(should_retry=False, reason=decision.reason)
    if decision.action == RetryAction.RETRY and should_retry:
        delay = decision.retry_delay
        seconds = None if delay is None else delay.total_seconds()
        return Answer(should_retry=True, delay_seconds=seconds, reason=decision.reason)
    return Answer(should_retry)
