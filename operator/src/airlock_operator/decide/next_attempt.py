"""
Decides what follows an attempt's end. Pure.

If kubectl made the TaskRun, the operator is its owner and decides. In Secret mode whoever minted the token is the
owner. Then the operator makes another attempt only if the task never began; otherwise it reports how the attempt ended.
"""

import msgspec

from airlock_operator.decide.ending import End
from airlock_operator.observe import options
from airlock_operator.observe.taskrun import MAX_TOKEN_RERUNS, TaskRun
from airlock_operator.reasons import Kind, Reason
from airlock_wire.retry_delay import next_delay

#: The message of a TaskRun that somebody cancelled.
BY_CANCEL = "cancelled by spec.cancel"


class Over(msgspec.Struct, frozen=True):
    """The TaskRun is over."""

    state: str
    reason: Reason
    message: str


class Again(msgspec.Struct, frozen=True):
    """Another attempt follows: its try, its delay in seconds, and the budget that pays for it."""

    try_number: int
    state: str
    message: str
    delay_seconds: float = 0.0
    infra: int = 0
    token: int = 0


def after(run: TaskRun, end: End) -> Over | Again:
    """Returns the decision for the present attempt's end."""
    spec, status = run.spec, run.status
    kind, state = end.reason.kind, end.reason.state
    if end.reason is Reason.CANCELLED or (spec.cancel and kind is not Kind.OVER):
        message = end.message if BY_CANCEL in end.message else f"{BY_CANCEL}. {end.message}".strip()
        return Over("failed", Reason.CANCELLED, message)
    if kind is Kind.OVER:
        return Over(end.state or state, end.reason, end.message)
    if kind is Kind.WAITS:
        # The attempt waited for too long: it fails with the reason that it waited for.
        return Over("failed", end.reason, f"gave up waiting: {end.message}")
    if run.by_secret and (kind in (Kind.USER, Kind.TOKEN) or end.begun):
        return Over("up_for_retry" if end.reason is Reason.RETRY else "failed", end.reason, end.message)
    if kind is Kind.USER:
        return _user(run, end)
    if kind is Kind.TOKEN and status.token_reruns < MAX_TOKEN_RERUNS:
        return Again(status.try_number, "queued", end.message, token=1)
    if kind is Kind.TOKEN:
        return Over("failed", end.reason, f"{end.message}; minted again {status.token_reruns} times in vain")
    if end.begun and not (options.retries(run, end.options) > 0 or spec.rerun_after_start):
        text = (
            "not run again, because user code had begun and retries is 0: set spec.retries, or "
            "spec.rerunAfterStart where a second start does no harm"
        )
        return Over("failed", end.reason, f"{end.message}; {text}")
    if status.infra_reruns >= spec.infra_budget:
        text = f"the infra budget of {spec.infra_budget} is used up; last: {end.reason}: {end.message}"
        return Over("failed", Reason.INFRA_BUDGET_EXHAUSTED, text)
    return Again(status.try_number, "queued", end.message, infra=1)


def _delay(run: TaskRun, end: End) -> float:
    """Returns the seconds before the next try: by the TaskRun, else by the retry policy, else as the task's grows."""
    delays = options.retry_delays(run, end.options)
    if end.policy_delay is not None and run.spec.retry_delay is None:
        return end.policy_delay
    return next_delay(
        dag_id=run.spec.dag_id,
        task_id=run.spec.task_id,
        logical_date=end.logical_date,
        try_number=run.status.try_number,
        delay_seconds=delays.seconds,
        factor=delays.factor,
        task_max_seconds=delays.max_seconds,
    )


def _user(run: TaskRun, end: End) -> Over | Again:
    tries_used = run.status.try_number - run.spec.try_number + 1
    # A task that asks for a retry has tries left, even if it ended before it could report its options.
    asks = end.reason is Reason.RETRY and run.spec.retries is None and end.options is None
    if asks or tries_used <= options.retries(run, end.options):
        delay = _delay(run, end)
        return Again(run.status.try_number + 1, "up_for_retry", end.message, delay_seconds=delay)
    reason = Reason.FAILED if end.reason is Reason.RETRY else end.reason
    tries = f" after {tries_used} tries" if tries_used > 1 else ""
    return Over("failed", reason, f"{end.message}{tries}".strip())
