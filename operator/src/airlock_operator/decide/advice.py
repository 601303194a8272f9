"""
Adds advice to a TaskRun's reason: one sentence about what its reader can do. Pure.

The advice names who can correct the fault: an author cannot correct the chart's image, nor an administrator a claim.
"""

import re

from airlock_operator.observe.podfacts import BUNDLE, RUNNER, SIDECAR, PodFacts
from airlock_operator.observe.taskrun import TaskRun
from airlock_operator.reasons import Reason
from airlock_wire.taskrun import TOKEN_SECRET_PREFIX

_OURS = (SIDECAR, BUNDLE)
_IMAGE = (Reason.IMAGE_PULL, Reason.IMAGE_PULL_FAILED)
_CONFIG = (Reason.CONFIG_ERROR, Reason.INVALID_POD)
_CLAIM_WORDS = ("persistentvolumeclaim", "volume node affinity", "persistent volume", "persistentvolume")
#: The message of a ResourceQuota about containers without a limit: "must specify limits.cpu for: sidecar,runner".
_QUOTA = re.compile(r"must specify (.+)")
_QUOTA_OF = re.compile(r"([a-z.-]+) for: ([a-z0-9,-]+)")


def advised(reason: Reason, message: str, run: TaskRun, pod: PodFacts | None = None) -> str:
    """Returns the message, followed by the advice if there is any. ``pod`` is the present attempt's."""
    advice = _particular(reason, message, run, pod) or reason.advice
    return "; ".join(part for part in (message.rstrip(" .;"), advice) if part)


def _particular(reason: Reason, message: str, run: TaskRun, pod: PodFacts | None) -> str:
    container = pod.blamed if pod is not None else ""
    if reason in _IMAGE:
        return _of_image(message, run, container)
    if reason in _CONFIG and container in _OURS:
        return _of_our_configuration(run, container)
    if reason is Reason.VOLUME_MOUNT:
        return _of_volume(message, run)
    if reason is Reason.UNSCHEDULABLE and any(words in message.lower() for words in _CLAIM_WORDS):
        return _of_claims(message, run)
    if reason in (Reason.FORBIDDEN, Reason.QUOTA_EXCEEDED) and (match := _QUOTA.search(message)):
        return _of_quota(match[1])
    return ""


def _of_image(message: str, run: TaskRun, container: str) -> str:
    if container == SIDECAR or (container == RUNNER and not run.spec.image):
        return "that image is the chart's: an administrator corrects image.registry, image.tag or sidecar.pullSecrets"
    if container == BUNDLE:
        name = run.spec.bundle.name if run.spec.bundle is not None else ""
        return f"that image is of bundle {name} in the chart's values: an administrator corrects it there"
    if container not in ("", RUNNER):
        return f"container {container} was put into the pod by an admission webhook, whose administrator corrects it"
    if "ErrImageNeverPull" in message or "pull policy of Never" in message:
        return "bring the image onto the node, or leave out spec.pod.imagePullPolicy in a new TaskRun"
    if "InvalidImageName" in message or "invalid reference format" in message:
        return "spec.image is not the name of an image: correct it in a new TaskRun"
    return ""


def _of_our_configuration(run: TaskRun, container: str) -> str:
    if container == BUNDLE:
        name = run.spec.bundle.name if run.spec.bundle is not None else ""
        return f"make the Secret that the chart's values name for bundle {name}, in namespace {run.namespace}"
    return f"container {container} is the chart's: an administrator makes what the message says is missing"


def _of_volume(message: str, run: TaskRun) -> str:
    if '"airlock-token"' in message and run.by_secret:
        return f"whoever made the TaskRun makes Secret {TOKEN_SECRET_PREFIX}{run.name}"
    if '"airlock-log-credentials"' in message:
        return f"an administrator makes the Secret of logs.credentialsSecret in namespace {run.namespace}"
    if '"airlock-' in message:
        return "that volume is Airlock's own: an administrator sees to its node"
    return ""


def _of_claims(message: str, run: TaskRun) -> str:
    volumes = run.spec.pod.get("volumes") or []
    claims = [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]
    suspects = [claim for claim in claims if f'"{claim}"' in message] or claims
    if not suspects:
        return ""
    which = ("claim " if len(suspects) == 1 else "claims ") + ", ".join(suspects)
    if "not found" in message and any(f'"{claim}"' in message for claim in claims):
        return f"make {which}, or correct spec.pod.volumes in a new TaskRun"
    return f"see why {which} cannot be used: kubectl -n {run.namespace} describe pvc {' '.join(suspects)}"


def _of_quota(limits: str) -> str:
    """Returns the advice for a quota's missing limits: the author sets the runner's, the chart sets ours."""
    our_limits: set[str] = set()
    runner_limits: set[str] = set()
    for limit, containers in _QUOTA_OF.findall(limits):
        for each in containers.split(","):
            (our_limits if each in _OURS else runner_limits).add(limit)
    does = []
    if runner_limits:
        does.append(f"set {' and '.join(sorted(runner_limits))} in spec.pod.resources of a new TaskRun")
    if "limits.cpu" in our_limits:
        does.append("have an administrator set sidecar.resources.cpuLimit in the chart's values")
    elif our_limits:
        does.append(f"have an administrator set {' and '.join(sorted(our_limits))} of Airlock's containers")
    return ", and ".join(does)
