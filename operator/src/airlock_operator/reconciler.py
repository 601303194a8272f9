"""
Does one turn for one TaskRun: look, plan, act. It connects the pure decisions with the API server.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from airlock_operator.decide.case import Case, Refusal
from airlock_operator.decide.plan import QUIET_SECONDS, Create, Delete, Forget, plan
from airlock_operator.kube import errors
from airlock_operator.kube.api import Cluster
from airlock_operator.observe.complaints import About, last_complaint
from airlock_operator.observe.podfacts import FETCHES, PodFacts
from airlock_operator.observe.sightings import Key, Sightings
from airlock_operator.observe.taskrun import TaskRun, read
from airlock_operator.pod import manifest
from airlock_operator.reasons import Reason
from airlock_operator.settings import Logs, Pods
from airlock_operator.status import events
from airlock_wire.process import backoff
from airlock_wire.taskrun import Status

log = logging.getLogger("airlock.operator")


class Refused(msgspec.Struct, frozen=True):
    """The last refusal of an attempt's pod, and the pause that followed it in seconds."""

    attempt: int
    refusal: Refusal
    pause: float


_FIRST_PAUSE_SECONDS = 1.0
_NEVER_RAN_SECONDS = 5
_LONGEST_PAUSE_SECONDS = 30.0


class Reconciler:
    """
    Does turns. ``ca_pem`` returns the certificates that a TaskRun's sidecar trusts.
    """

    def __init__(
        self,
        cluster: Cluster,
        sightings: Sightings,
        pods: Pods,
        logs: Logs,
        *,
        ca_pem: Callable[[TaskRun], str],
        component: str,
    ) -> None:
        self._cluster = cluster
        self._sightings = sightings
        self._pods = pods
        self._logs = logs
        self._ca_pem = ca_pem
        self._component = component
        self._refused: dict[Key, Refused] = {}
        #: TaskRuns that this operator cannot read, so that it logs each once.
        self._unreadable: set[tuple[str, str]] = set()

    async def turn(self, key: Key) -> float | None:
        """
        Does the next step. Returns the seconds until the next turn, None to wait for an event. Raises
        errors.KubernetesError if the turn failed and must be repeated.
        """
        body = self._sightings.runs.get(key)
        if body is None:
            self._refused.pop(key, None)
            return None
        try:
            run = read(body)
        except (msgspec.ValidationError, ValueError, KeyError) as e:
            self._say_unreadable(body, e)
            return None
        pod = await self._look(key, run)
        now = datetime.now(UTC)
        decided = plan(Case(run, pod, now, self._refusal(key, run, now)))
        written = body
        if decided.status is not None:
            written = await self._write(key, body, run, decided.status)
        act = decided.act
        if isinstance(act, Create):
            return await self._create(key, read(written), act)
        if isinstance(act, Delete):
            await self._delete(key, act, grace_seconds(pod))
        elif isinstance(act, Forget):
            await self._forget(key, run)
        for stray in strays(run, self._sightings.pods(key)):
            log.warning("deleting a pod that is not the one that counts", extra={"pod": stray.name, "uid": stray.uid})
            await self._delete(key, Delete(stray.name, stray.uid))
        return decided.again_in

    async def _look(self, key: Key, run: TaskRun) -> PodFacts | None:
        """
        Returns the present attempt's pod. It asks the API server for a pod that it has not seen, because the event may
        be late or missed.
        """
        ref = run.status.pod_ref
        if ref is None:
            return self._sightings.pod(key, run.pod_name(run.status.attempt)) if run.attempt_open else None
        found = self._sightings.pod(key, ref.name, ref.uid)
        if run.over:
            return found
        if found is not None:
            return await self._listen(key, found)
        try:
            self._sightings.saw_pod(await self._cluster.pod(key.namespace, ref.name))
        except errors.NotFound:
            return None
        return self._sightings.pod(key, ref.name, ref.uid)

    async def _listen(self, key: Key, pod: PodFacts) -> PodFacts:
        """Returns the pod with its kubelet's complaint, if it should run by now and its status does not say why not."""
        age = (datetime.now(UTC) - pod.created).total_seconds()
        told = pod.pulling or pod.config or pod.fetching == FETCHES
        silent = pod.node and not (pod.runner_ran or pod.dead or pod.deleting or told)
        if not silent or age < QUIET_SECONDS:
            return pod
        complaint = last_complaint(await self._cluster.events_of(key.namespace, pod.uid))
        if complaint is None:
            return pod
        self._sightings.complain(pod.uid, complaint)
        return msgspec.structs.replace(pod, complaint=complaint)

    async def _write(self, key: Key, body: Any, run: TaskRun, status: Status) -> Any:
        try:
            written = await self._cluster.write_status(body, msgspec.to_builtins(status))
        except errors.NotFound:
            self._sightings.forget(key)
            raise
        except errors.Conflict:
            # Somebody wrote first, or what we have seen is old: read it again.
            self._sightings.saw_run(await self._cluster.taskrun(key.namespace, key.name))
            raise
        self._sightings.saw_run(written)
        for event in events.of_change(run, status, self._component):
            await self._post(key, event)
        return written

    async def _post(self, key: Key, event: dict[str, Any]) -> None:
        try:
            await self._cluster.create_event(key.namespace, event)
        except errors.KubernetesError as e:
            # An Event may be lost: the status has everything that matters.
            log.info("event not posted", extra={"taskrun": "/".join(key), "error": str(e)})

    # --- making pods ---

    def _refusal(self, key: Key, run: TaskRun, now: datetime) -> Refusal | None:
        """Returns why the present attempt's pod cannot be made: by its spec, or by the API server's last answer."""
        if not run.attempt_open or run.status.pod_ref is not None:
            return None
        if why := manifest.impossible(run, self._pods):
            return Refusal(Reason.INVALID_POD, why, now, final=True)
        refused = self._refused.get(key)
        return refused.refusal if refused is not None and refused.attempt == run.status.attempt else None

    async def _create(self, key: Key, run: TaskRun, act: Create) -> float:
        before = self._refused.get(key)
        now = datetime.now(UTC)
        body = manifest.manifest(run, act.attempt, self._pods, self._ca_pem(run), self._logs)
        try:
            pod = await self._cluster.create_pod(key.namespace, body)
        except errors.Conflict:
            # The pod exists already: this operator made it before it died, or another operator or somebody else did.
            pod = await self._cluster.pod(key.namespace, run.pod_name(act.attempt))
            self._sightings.saw_pod(pod)
            if self._sightings.pod(key, run.pod_name(act.attempt)) is None:
                text = f"a pod named {pod['metadata']['name']} exists already"
                self._refused[key] = Refused(act.attempt, Refusal(Reason.INVALID_POD, text, now, final=True), 0.0)
            return 0.0
        except errors.KubernetesError as e:
            pause = min((before.pause * 2) if before else _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
            pause = e.retry_after or pause
            again_at = now + timedelta(seconds=backoff.scattered(pause))
            self._refused[key] = Refused(act.attempt, refusal_of(e, again_at), pause)
            log.info("pod refused", extra={"taskrun": "/".join(key), "error": str(e)})
            return 0.0
        self._refused.pop(key, None)
        self._sightings.saw_pod(pod)
        return 0.0

    async def _delete(self, key: Key, act: Delete, grace: int | None = None) -> None:
        try:
            await self._cluster.delete_pod(key.namespace, act.name, act.uid, grace)
        except (errors.NotFound, errors.Conflict):
            # It is gone, or another has its name by now: neither is ours to delete.
            self._sightings.lost_pod(key, act.name)

    async def _forget(self, key: Key, run: TaskRun) -> None:
        try:
            await self._cluster.delete_taskrun(key.namespace, key.name, run.uid)
        except (errors.NotFound, errors.Conflict):
            self._sightings.forget(key)

    def _say_unreadable(self, body: Any, error: Exception) -> None:
        mark = (body["metadata"]["uid"], body["metadata"]["resourceVersion"])
        if mark not in self._unreadable:
            self._unreadable.add(mark)
            log.error("a TaskRun that this operator cannot read", extra={"uid": mark[0], "error": str(error)})


def grace_seconds(pod: PodFacts | None) -> int | None:
    """
    Returns the grace period for deleting a pod; None for the TaskRun's own. If the runner's container cannot be made,
    there is no user code to wait for, and a starting sidecar may miss the signal to end.
    """
    if pod is None or pod.runner_ran:
        return None
    complaint = pod.complaint is not None and pod.complaint.about in (About.IMAGE, About.CONFIG)
    return _NEVER_RAN_SECONDS if pod.pulling or pod.config or complaint else None


def refusal_of(error: errors.KubernetesError, again_at: datetime) -> Refusal:
    """Returns what a refused pod creation means for the TaskRun."""
    text = str(error)
    if isinstance(error, errors.NotAllowed):
        return Refusal(Reason.QUOTA_EXCEEDED if error.by_quota else Reason.FORBIDDEN, text, again_at)
    if isinstance(error, errors.Invalid):
        return Refusal(Reason.INVALID_POD, text, again_at, final=True)
    return Refusal(Reason.API_BUSY, text, again_at)


def strays(run: TaskRun, pods: list[PodFacts]) -> list[PodFacts]:
    """
    Returns live pods of attempts that are not the current one. An operator that had lost the Lease without knowing may
    have made such a pod. It gets no token and is deleted.
    """
    counts = run.status.pod_ref.uid if run.status.pod_ref else ""
    old = [p for p in pods if p.attempt < run.status.attempt or (counts and p.attempt == run.status.attempt)]
    return [p for p in old if p.owner == run.uid and p.uid != counts and not (p.dead or p.deleting)]
