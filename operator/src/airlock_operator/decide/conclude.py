"""Plans what follows an attempt's end: another attempt, or the TaskRun is over and its time to live runs. Pure."""

from datetime import datetime, timedelta

import msgspec

from airlock_operator.decide.acts import Delete, Forget, Plan
from airlock_operator.decide.advice import advised
from airlock_operator.decide.case import Case
from airlock_operator.decide.ending import End
from airlock_operator.decide.next_attempt import Again, Over, after
from airlock_operator.decide.statement import say
from airlock_operator.durations import micro_text, time_text
from airlock_operator.observe.options import counted
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import Reason
from airlock_operator.status.timeline import ran_for
from airlock_wire.options import TaskOptions
from airlock_wire.taskrun import Attempt

#: How long a pod may take to end after its TaskRun is over.
LEFT_OVER_SECONDS = 60.0
#: How often a pod that is deleted is looked at, in case an event was missed.
_LOOK_AGAIN_SECONDS = 15.0
#: How many attempts a status remembers.
_KEPT_ATTEMPTS = 10


def conclude(case: Case, end: End) -> Plan:
    """Plans for an attempt that has ended."""
    run, pod, now = case.run, case.pod, case.now
    following = after(run, end)
    if isinstance(following, Over):
        # The TaskRun's reason is the budget; the attempt's reason is what used the budget up.
        spent = following.reason is Reason.INFRA_BUDGET_EXHAUSTED
        return over(case, following, end if spent else None, end.options, by_clock=end.by_clock)
    again = following.delay_seconds
    message = f"attempt {run.status.attempt} ended: {end.reason}: {advised(end.reason, following.message, run, pod)}"
    base = msgspec.structs.replace(
        run.status,
        try_number=following.try_number,
        attempts=_remembered(run, end.reason, end.message, now),
        pod_ref=None,
        stopping="",
        infra_reruns=run.status.infra_reruns + following.infra,
        token_reruns=run.status.token_reruns + following.token,
        next_attempt_at=micro_text(now + timedelta(seconds=again)),
        options=counted(run, end.options),
    )
    reason = Reason.WAITING_FOR_RETRY if _is_retry(following) else end.reason
    status = say(case, reason, message, state=following.state, base=base, advise=False)
    # The runner has ended. A sidecar that still runs is of no use, so its pod goes. An ended pod stays, for its log.
    left_behind = pod is not None and pod.sidecar_running and not pod.gone and not pod.deleting
    act = Delete(pod.name, pod.uid) if pod is not None and left_behind else None
    return Plan(status, act, again_in=again, by_clock=end.by_clock)


def _is_retry(following: Again) -> bool:
    return not following.infra and not following.token


def over(
    case: Case,
    final: Over,
    last: End | None = None,
    options: TaskOptions | None = None,
    *,
    by_clock: bool = False,
) -> Plan:
    """
    Plans for a TaskRun that is over. ``last`` is the last attempt's own end, if it differs from the TaskRun's (a budget
    that is used up); ``options`` are the task's own.
    """
    run, pod, now = case.run, case.pod, case.now
    status = run.status
    ended_by = last or final
    message = final.message if final.state in ("success", "skipped") else advised(final.reason, final.message, run, pod)
    base = msgspec.structs.replace(
        status,
        run_id=run.run_id,
        attempts=_remembered(run, ended_by.reason, ended_by.message, now) if run.attempt_open else status.attempts,
        started_at=status.started_at or (micro_text(now) if pod is not None and pod.runner_ran else ""),
        node=(pod.node if pod else "") or status.node,
        stopping="",
        next_attempt_at="",
        finished_at=time_text(now),
        duration=ran_for(pod, run.times.started_at, now),
        options=counted(run, options),
    )
    final_status = say(case, final.reason, message, state=final.state, base=base, advise=False)
    return Plan(final_status, again_in=0.0, by_clock=by_clock)


def _remembered(run: TaskRun, reason: Reason, message: str, now: datetime) -> list[Attempt]:
    entry = Attempt(
        attempt=run.status.attempt,
        try_number=run.status.try_number,
        pod=run.status.pod_ref.name if run.status.pod_ref else "",
        node=run.status.node,
        reason=str(reason),
        message=message[:512],
        finished_at=time_text(now),
    )
    return [*run.status.attempts, entry][-_KEPT_ATTEMPTS:]


def afterlife(case: Case) -> Plan:
    """Plans for a TaskRun that has been over for some time."""
    run, pod = case.run, case.pod
    good = run.status.state in ("success", "skipped")
    ttl = run.durations.ttl_after_success if good else run.durations.ttl_after_failure
    ttl_left = ttl - (case.now - (run.times.finished_at or case.now)).total_seconds()
    if ttl_left <= 0:
        return Plan(act=Forget())
    if pod is None or pod.finished or pod.deleting:
        return Plan(again_in=ttl_left)
    # A pod that has all but ended keeps its containers' logs if it is left to end by itself.
    grace = 0.0 if not pod.dead else case.left(case.moments.over, LEFT_OVER_SECONDS)
    if grace > 0:
        return Plan(again_in=min(ttl_left, grace))
    return Plan(act=Delete(pod.name, pod.uid), again_in=min(ttl_left, _LOOK_AGAIN_SECONDS))
