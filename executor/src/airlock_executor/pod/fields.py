"""
The fields of a pod and of its container, each with what becomes of it: tables.

A test holds what is kept equal to ``spec.pod`` of the resource's definition.
"""

from collections.abc import Mapping
from typing import Any

#: Fields of a pod's spec that ``spec.pod`` has under the same name.
KEPT = (
    "volumes", "tolerations", "nodeSelector", "affinity", "priorityClassName", "serviceAccountName", "runtimeClassName",
    "imagePullSecrets",
)  # fmt: skip
#: Fields of the first container that ``spec.pod`` has under the same name.
KEPT_OF_CONTAINER = ("resources", "env", "envFrom", "volumeMounts", "imagePullPolicy")
#: Kinds of volumes that ``spec.pod`` has.
VOLUME_KINDS = ("configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "csi", "image")
MOUNT_FIELDS = ("name", "mountPath", "subPath", "readOnly")

_SHARED = "user code would be beside its token"
BESIDE = "whatever shares a pod with user code must hold no credential, so a TaskRun's pod has no other containers"

#: Fields that would break the isolation of the token, and why. A false or empty one is harmless.
BREAKS = {
    "shareProcessNamespace": _SHARED,
    "hostPID": _SHARED,
    "hostIPC": _SHARED,
    "hostNetwork": "user code would reach what listens on the node",
    "automountServiceAccountToken": "user code is not given a token of the Kubernetes API",
    "initContainers": f"{BESIDE}; a bundle is fetched by what the chart's values list in bundles",
    "ephemeralContainers": BESIDE,
}
BREAKS_OF_CONTAINER = {
    "command": "the container runs the launcher",
    "args": "the container runs the launcher",
    "lifecycle": "a hook would run beside the launcher",
    "volumeDevices": "a TaskRun's pod has no block devices",
}
#: Fields that the operator decides about, or that say nothing for a task; they are left out without a word if harmless.
IGNORED = frozenset({"containers", "restartPolicy", "enableServiceLinks", "nodeName", "preemptionPolicy", "priority",
                     "serviceAccount", "os"})  # fmt: skip
IGNORED_OF_CONTAINER = frozenset({"name", "image", "ports", "terminationMessagePath", "terminationMessagePolicy"})
#: Values that say what a pod has anyway.
USUAL: dict[str, Any] = {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
#: Fields that become another one of the TaskRun's spec: seconds.
SECONDS = {"terminationGracePeriodSeconds": "gracePeriod", "activeDeadlineSeconds": "executionTimeout"}

VOLUME_BREAKS = {"hostPath": "it reaches other pods' tokens on the node"}

#: What a securityContext may say, as a TaskRun's pod has it or may do without it.
_SECURE: dict[str, Any] = {
    "runAsNonRoot": (True,),
    "runAsUser": (50000,),
    "allowPrivilegeEscalation": (False,),
    "privileged": (False,),
    "readOnlyRootFilesystem": (True, False),
}
_IMMATERIAL = frozenset({"fsGroup", "fsGroupChangePolicy", "runAsGroup", "supplementalGroups"})


def security_refusals(context: Mapping[str, Any]) -> list[str]:
    """Returns the fields of a securityContext that ask for more than a TaskRun's pod has."""
    refusals = []
    for field, value in context.items():
        if field == "capabilities":
            if (value or {}).get("add"):
                refusals.append("capabilities.add")
        elif field == "seccompProfile":
            if (value or {}).get("type") != "RuntimeDefault":
                refusals.append(field)
        elif field not in _IMMATERIAL and value not in _SECURE.get(field, ()):
            refusals.append(field)
    return refusals
