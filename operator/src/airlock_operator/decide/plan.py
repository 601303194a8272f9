"""
Plans the next step for one TaskRun: the TaskRun, its pod's facts and the time in, a plan out. Pure.

Level-triggered: the same state always gives the same plan, however often it is computed. A plan is at most one status
and one act, the status first. What must be known about a pod (an attempt's number, the reason for stopping it) is
written before the pod is made or deleted. So if an operator dies in between, the next one understands the state.
"""

from datetime import datetime, timedelta

import msgspec

from airlock_operator.decide.advice import advised
from airlock_operator.decide.blocked import Blocked, blocked
from airlock_operator.decide.case import Case
from airlock_operator.decide.ending import End, end_of
from airlock_operator.decide.next_attempt import BY_CANCEL, Again, Over, after
from airlock_operator.durations import micro_text, time_text
from airlock_operator.observe.options import counted
from airlock_operator.observe.podfacts import PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.pod.workload import unnarrowed
from airlock_operator.reasons import Reason, waits
from airlock_operator.status.conditions import conditions
from airlock_operator.status.timeline import ran_for, timeline
from airlock_wire.options import TaskOptions
from airlock_wire.taskrun import Attempt, PodRef, Status

#: How long a pod may be on its way to running before the status says so.
QUIET_SECONDS = 3.0
#: How often a pod that does not start is looked at again, with its kubelet's complaints.
LISTEN_SECONDS = 5.0
#: The sidecar stops the runner after ``executionTimeout``; the operator does so this many seconds later.
BACKSTOP_SECONDS = 30.0
#: How often a TaskRun with an ending pod is looked at, in case an event was missed.
_LOOK_AGAIN_SECONDS = 15.0
#: The status's note for a TaskRun in Secret mode that narrows nothing.
AS_AIRFLOW = "its task may read and write what Airflow lets any task: spec.access narrows nothing"
#: How often another pod that has the name of the attempt's pod is looked at, in case an event was missed.
_NAME_AGAIN_SECONDS = 2.0
#: How many attempts a status remembers.
_KEPT_ATTEMPTS = 10


class Create(msgspec.Struct, frozen=True):
    """Make the pod of this attempt."""

    attempt: int


class Delete(msgspec.Struct, frozen=True):
    """Delete this very pod."""

    name: str
    uid: str


class Forget(msgspec.Struct, frozen=True):
    """Delete the TaskRun itself: its time to live has passed."""


class Plan(msgspec.Struct, frozen=True):
    """First write ``status`` if there is one, then ``act``, then look again after so many seconds (None for never)."""

    status: Status | None = None
    act: Create | Delete | Forget | None = None
    again_in: float | None = None


def plan(case: Case) -> Plan:
    """Returns the plan."""
    run = case.run
    if run.deleting:
        # The garbage collector deletes the pod, and the kubelet lets the launcher end in order.
        return Plan()
    if run.over:
        return _afterlife(case)
    if not run.attempt_open:
        return _next_attempt(case)
    if run.status.pod_ref is None:
        return _make(case)
    return _watch(case)


# --- no attempt is open ---


def _next_attempt(case: Case) -> Plan:
    run, now = case.run, case.now
    status = run.status
    if run.spec.cancel:
        return _over(case.without_pod(), Over("failed", Reason.CANCELLED, "cancelled before it was started"))
    if run.spec.suspend:
        return Plan(_say(case, Reason.SUSPENDED, "", state=status.state))
    if run.times.next_attempt_at is not None and (wait := case.until(run.times.next_attempt_at)) > 0:
        return Plan(again_in=wait)
    attempt = status.attempt + 1
    fresh = msgspec.structs.replace(
        status,
        run_id=run.run_id,
        try_number=status.try_number or run.spec.try_number,
        attempt=attempt,
        pod_ref=None,
        node="",
        since=micro_text(now),
        stopping="",
        started_at="",
        failing_since="",
        next_attempt_at="",
        timeline={"admitted": _after(run.times.seen_at, now) if run.times.seen_at is not None else 0.0},
    )
    said = _say(case, Reason.PENDING, "its pod is about to be made", state="queued", base=fresh)
    return Plan(said, again_in=0.0)


# --- an attempt is open, its pod is not known to exist ---


def _make(case: Case) -> Plan:
    run, pod, now, refusal = case.run, case.pod, case.now, case.refusal
    ends = (run.times.since or now) + timedelta(seconds=run.durations.pending_timeout)
    if pod is not None and pod.owner != run.uid:
        if not pod.gone and not run.spec.cancel:
            return _wait_for_name(case, pod, ends)
        # An earlier TaskRun of this name had the pod, and the pod is gone.
        case, pod = case.without_pod(), None
    if pod is not None:
        known = msgspec.structs.replace(run.status, pod_ref=PodRef(pod.name, pod.uid), node=pod.node)
        return Plan(_progress(case, pod, base=known, quiet=False), again_in=0.0)
    if run.spec.cancel:
        return _over(case, Over("failed", Reason.CANCELLED, "cancelled before it was started"))
    if refusal is None:
        return Plan(act=Create(run.status.attempt))
    if refusal.final or now >= ends:
        gave_up = "" if refusal.final else f"gave up after {run.spec.pending_timeout}: "
        return _over(case, Over("failed", refusal.reason, gave_up + refusal.message))
    said = _say(case, refusal.reason, refusal.message, state="queued")
    if (wait := case.until(refusal.again_at)) > 0:
        return Plan(said, again_in=wait)
    return Plan(said, act=Create(run.status.attempt))


def _wait_for_name(case: Case, pod: PodFacts, ends: datetime) -> Plan:
    """
    Plans for another's pod that has the name of ours. Usually it belongs to an earlier TaskRun of this name, which was
    deleted a moment ago: the garbage collector will delete the pod too.
    """
    text = f"a pod named {pod.name} is there that is not this TaskRun's; delete it, or use another name"
    # If it has no owner (after kubectl delete --cascade=orphan) and has ended, nobody else will delete it.
    stays = not pod.owner and pod.dead and not pod.deleting
    case = case.without_pod()
    if case.now >= ends or stays:
        return _over(case, Over("failed", Reason.INVALID_POD, text))
    waits_for = f"waiting for the end of a pod named {pod.name} that is not this TaskRun's"
    said = _say(case, Reason.PENDING, waits_for, state="queued")
    return Plan(said, again_in=min(_NAME_AGAIN_SECONDS, case.until(ends)))


# --- an attempt is open and has its pod ---


def _watch(case: Case) -> Plan:
    run, pod, now = case.run, case.pod, case.now
    end = end_of(run, pod, now)
    if end is not None:
        return _conclude(case, end)
    assert pod is not None  # noqa: S101 - an attempt without a pod has ended
    if pod.deleting:
        # A pod that is being deleted cannot be changed: its containers end, and then it shows why.
        message = run.status.message if run.status.stopping else f"pod {pod.name} is being deleted"
        said = _say(case, Reason.STOPPING, message or run.status.stopping)
        return Plan(said, again_in=_LOOK_AGAIN_SECONDS)
    if run.status.stopping:
        return Plan(act=Delete(pod.name, pod.uid), again_in=_LOOK_AGAIN_SECONDS)
    if pod.runner_ended is not None:
        return Plan(again_in=_LOOK_AGAIN_SECONDS)
    if run.spec.cancel:
        return _stop(case, pod, Reason.CANCELLED, BY_CANCEL)
    held = blocked(run, pod, now)
    if held is not None:
        return _wait(case, pod, held)
    limit = run.durations.execution_timeout
    if limit is None or pod.runner_started is None:
        return Plan(_progress(case, pod))
    ends = pod.runner_started + timedelta(seconds=limit + BACKSTOP_SECONDS)
    if now >= ends:
        late = f"it ran for longer than {run.spec.execution_timeout}, and past its sidecar's stop"
        return _stop(case, pod, Reason.TIMED_OUT, late)
    return Plan(_progress(case, pod), again_in=case.until(ends))


def _wait(case: Case, pod: PodFacts, held: Blocked) -> Plan:
    """Plans for a pod whose runner does not run yet."""
    if held.gives_up_at is not None and case.now >= held.gives_up_at:
        return _stop(case, pod, held.ends_as, held.message)
    due = case.until(held.gives_up_at) if held.gives_up_at is not None else None
    return Plan(_progress(case, pod), again_in=_soonest(due, _quiet_left(case, held), LISTEN_SECONDS))


def _stop(case: Case, pod: PodFacts, reason: Reason, message: str) -> Plan:
    stopping = msgspec.structs.replace(case.run.status, stopping=str(reason))
    said = _say(case, Reason.STOPPING, message, base=stopping)
    return Plan(said, act=Delete(pod.name, pod.uid), again_in=_LOOK_AGAIN_SECONDS)


def _progress(case: Case, pod: PodFacts, base: Status | None = None, *, quiet: bool = True) -> Status | None:
    """
    Returns the status of an attempt that runs or waits; None if the status would not change.
    """
    held = blocked(case.run, pod, case.now)
    base = base or case.run.status
    base = msgspec.structs.replace(base, node=pod.node)
    if held is None:
        started = micro_text(pod.runner_started) if pod.runner_started else ""
        base = msgspec.structs.replace(base, started_at=base.started_at or started, failing_since="")
        return _say(case, Reason.RUNNING, f"pod {pod.name} on node {pod.node}", state="running", base=base)
    if quiet and _quiet_left(case, held):
        return None
    since = (base.failing_since or micro_text(case.now)) if held.failing else ""
    base = msgspec.structs.replace(base, failing_since=since)
    return _say(case, held.reason, held.message, state="queued", base=base)


def _quiet_left(case: Case, held: Blocked) -> float | None:
    """Tells how many seconds a starting pod may go on without a new status; None if the status must change now."""
    since = case.run.times.since
    if held.reason not in (Reason.STARTING, Reason.PULLING, Reason.FETCHING_BUNDLE) or since is None:
        return None
    left = case.until(since) + QUIET_SECONDS
    return left if left > 0 else None


# --- an attempt, or all of it, has ended ---


def _conclude(case: Case, end: End) -> Plan:
    run, pod, now = case.run, case.pod, case.now
    following = after(run, end)
    if isinstance(following, Over):
        # The TaskRun's reason is the budget; the attempt's reason is what used the budget up.
        spent = following.reason is Reason.INFRA_BUDGET_EXHAUSTED
        return _over(case, following, end if spent else None, end.options)
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
    said = _say(case, reason, message, state=following.state, base=base, advise=False)
    # The runner has ended. A sidecar that still runs is of no use, so its pod goes. An ended pod stays, for its log.
    left_behind = pod is not None and pod.sidecar_running and not pod.gone and not pod.deleting
    return Plan(said, Delete(pod.name, pod.uid) if pod is not None and left_behind else None, again_in=again)


def _is_retry(following: Again) -> bool:
    return not following.infra and not following.token


def _over(case: Case, over: Over, last: End | None = None, options: TaskOptions | None = None) -> Plan:
    """
    ``last`` is the last attempt's own end, if it differs from the TaskRun's (a budget that is used up); ``options`` are
    the task's own.
    """
    run, pod, now = case.run, case.pod, case.now
    status = run.status
    ended_by = last or over
    message = over.message if over.state in ("success", "skipped") else advised(over.reason, over.message, run, pod)
    started = run.times.started_at or (pod.runner_started if pod else None)
    ended = pod.runner_ended.at if pod is not None and pod.runner_ended is not None else None
    base = msgspec.structs.replace(
        status,
        run_id=run.run_id,
        attempts=_remembered(run, ended_by.reason, ended_by.message, now) if run.attempt_open else status.attempts,
        started_at=status.started_at or (micro_text(started) if started else ""),
        node=(pod.node if pod else "") or status.node,
        stopping="",
        next_attempt_at="",
        finished_at=time_text(now),
        duration=ran_for(pod, started, ended or now) if started else "",
        options=counted(run, options),
    )
    said = _say(case, over.reason, message, state=over.state, base=base, advise=False)
    return Plan(said, again_in=0.0)


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


def _afterlife(case: Case) -> Plan:
    run, pod = case.run, case.pod
    good = run.status.state in ("success", "skipped")
    ttl = run.durations.ttl_after_success if good else run.durations.ttl_after_failure
    left = ttl + (case.until(run.times.finished_at) if run.times.finished_at is not None else 0.0)
    if left <= 0:
        return Plan(act=Forget())
    if pod is not None and not pod.dead and not pod.deleting:
        return Plan(act=Delete(pod.name, pod.uid), again_in=min(left, _LOOK_AGAIN_SECONDS))
    return Plan(again_in=left)


# --- the status with a new reason ---


def _say(
    case: Case,
    reason: Reason,
    message: str,
    *,
    state: str | None = None,
    base: Status | None = None,
    advise: bool = True,
) -> Status | None:
    """Returns the status with this reason; None if it says so already."""
    run, pod, now = case.run, case.pod, case.now
    base = base or run.status
    seen_at = run.times.seen_at or now
    status = msgspec.structs.replace(
        base,
        observed_generation=run.generation,
        seen_at=base.seen_at or micro_text(now),
        state=base.state if state is None else state,
        reason=str(reason),
        message=(advised(reason, message, run, pod) if advise and waits(reason) else message)[:1024],
    )
    marks = timeline(status.timeline, seen_at, pod, _after(seen_at, now) if status.finished_at else None)
    status = msgspec.structs.replace(status, timeline=marks)
    note = AS_AIRFLOW if unnarrowed(run) else ""
    shown = conditions(status, pod, time_text(now), run.generation, note)
    status = msgspec.structs.replace(status, conditions=shown)
    return None if status == run.status else status


def _after(start: datetime, now: datetime) -> float:
    return round((now - start).total_seconds(), 3)


def _soonest(*waits_for: float | None) -> float | None:
    known = [each for each in waits_for if each is not None]
    return min(known) if known else None
