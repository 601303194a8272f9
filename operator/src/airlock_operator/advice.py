"""What somebody who reads a TaskRun's status can do about its reason: one sentence each, after what happened."""

from airlock_operator.reasons import Reason

ADVICE: dict[Reason, str] = {
    Reason.SUSPENDED: "set spec.suspend to false to let it run",
    Reason.QUOTA_EXCEEDED: "it is made as soon as the namespace's ResourceQuota has room",
    Reason.API_BUSY: "the API server is asked again, with growing pauses",
    Reason.FORBIDDEN: "change what the message names, or ask an administrator to allow it",
    Reason.UNSCHEDULABLE: "lower spec.pod.resources or relax its node rules, or add a node",
    Reason.IMAGE_PULL: "check spec.image, and spec.pod.imagePullSecrets where its registry asks who you are",
    Reason.CONFIG_ERROR: "make what the message says is missing, or correct spec.pod",
    Reason.VOLUME_MOUNT: "make what the volume names, or correct spec.pod.volumes in a new TaskRun",
    Reason.FETCHING_BUNDLE: "see the container bundle in kubectl logs, where it takes long",
    Reason.BUNDLE_FAILED: "see the container bundle in kubectl logs",
    Reason.DENIED: "an administrator grants it, or the TaskRun does without it",
    Reason.IMAGE_PULL_FAILED: "correct spec.image or spec.pod.imagePullSecrets in a new TaskRun",
    Reason.INVALID_POD: "correct what the message names, and make a new TaskRun",
    Reason.CANNOT_EXEC: "use an image made from Airlock's runner image, or one with Airflow and spec.runner airflow",
    Reason.OOM_KILLED: "raise spec.pod.resources.limits.memory, or let the task hold less",
    Reason.STORAGE_EXCEEDED: "raise the ephemeral-storage limit, or write to a volume",
    Reason.TIMED_OUT: "raise spec.executionTimeout, or let the task do less",
    Reason.CRASHED: "its last lines are in kubectl logs",
    Reason.SIDECAR_LOST: "see the sidecar container in kubectl describe pod",
    Reason.RUNNER_NEVER_CONNECTED: "see the sidecar container in kubectl describe pod",
}


def advised(reason: Reason, message: str) -> str:
    """The message with the advice after it, where there is any."""
    advice = ADVICE.get(reason, "")
    return "; ".join(part for part in (message.rstrip(" .;"), advice) if part)
