"""
Finds out why an attempt whose pod exists does not run yet, and how long that may last. Pure.
"""

import msgspec

from airlock_operator.observe.complaints import About
from airlock_operator.observe.podfacts import FETCH_WAITS, FETCHES, PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import Reason

#: How long an object that a container's configuration names may be missing: a Secret is often made a moment later.
CONFIG_SECONDS = 45.0


class Blocked(msgspec.Struct, frozen=True):
    """
    Why the runner does not run. ``limit`` is how many seconds that may last, None for ever; ``ends_as`` is the reason
    that it then ends with. ``failing`` marks a reason with a clock of its own, which starts when it is first seen; the
    other limits count from the attempt's beginning.
    """

    reason: Reason
    message: str
    ends_as: Reason
    limit: float | None
    failing: bool = False


def blocked(run: TaskRun, pod: PodFacts) -> Blocked | None:
    """Returns the reason of a pod whose runner has not run; None for one that runs or ran."""
    if pod.runner_ran or pod.runner_ended is not None:
        return None
    pending = run.durations.pending_timeout
    if pod.fetching == FETCHES:
        # This is checked first: the kubelet's earlier complaints are over once it has come so far.
        message = f"{_bundle(run)} is being fetched on node {pod.node}"
        return Blocked(Reason.FETCHING_BUNDLE, message, Reason.FETCHING_BUNDLE, pending)
    complaints = {pod.complaint.about: pod.complaint.message} if pod.complaint is not None else {}
    hopeless = pod.pulling_hopeless or (pod.complaint is not None and pod.complaint.hopeless)
    if pulling := pod.pulling or complaints.get(About.IMAGE):
        limit = 0.0 if hopeless else run.durations.image_pull_timeout
        return Blocked(Reason.IMAGE_PULL, pulling, Reason.IMAGE_PULL_FAILED, limit, failing=True)
    if config := pod.config or complaints.get(About.CONFIG):
        return Blocked(Reason.CONFIG_ERROR, config, Reason.INVALID_POD, CONFIG_SECONDS, failing=True)
    if volume := complaints.get(About.VOLUME):
        return Blocked(Reason.VOLUME_MOUNT, volume, Reason.VOLUME_MOUNT, pending)
    if pod.gated:
        message = "a scheduling gate holds the pod back; whoever set it (Kueue, for example) lifts it"
        return Blocked(Reason.SCHEDULING_GATED, message, Reason.SCHEDULING_GATED, None)
    if pod.unschedulable:
        return Blocked(Reason.UNSCHEDULABLE, pod.unschedulable, Reason.UNSCHEDULABLE, pending)
    if pod.sidecar_running and pod.fetching == FETCH_WAITS:
        message = f"the image that fetches {_bundle(run)} is being pulled on node {pod.node}"
        return Blocked(Reason.PULLING, message, Reason.PULLING, pending)
    if pod.sidecar_running:
        # Between the start of the sidecar and of the runner a kubelet pulls the image, and does not report it.
        message = f"image {pod.image or run.spec.image} is being pulled on node {pod.node}"
        return Blocked(Reason.PULLING, message, Reason.PULLING, pending)
    where = f"on node {pod.node}" if pod.node else "waiting for a node"
    message = complaints.get(About.OTHER) or f"pod {pod.name} is {where}"
    return Blocked(Reason.STARTING, message, Reason.PENDING, pending)


def _bundle(run: TaskRun) -> str:
    bundle = run.spec.bundle
    name, version = (bundle.name, bundle.version) if bundle is not None else ("", None)
    return f"bundle {name}, version {version}," if version else f"bundle {name}, its newest version,"
