"""
Reads a kubelet's complaints from its Events, which come before the pod's status. Pure.

With a native sidecar a kubelet shows a runner's waiting reason only at its next look at the pod, ten seconds later. It
never shows a volume that cannot be mounted. Its Events say both at once.
"""

import re
from enum import Enum
from typing import Any

import msgspec

from airlock_operator.observe import runtime

_PULL = (
    "Failed to pull image", "Error: ErrImagePull", "Error: ImagePullBackOff", "Error: ErrImageNeverPull",
    "Error: InvalidImageName",
)  # fmt: skip
_PULL_REASONS = frozenset({"InspectFailed", "ErrImageNeverPull"})
#: Complaints that waiting does not cure: the image is not on the node and may not be pulled, or its name is invalid.
_PULL_HOPELESS = ("ErrImageNeverPull", "InvalidImageName", "couldn't parse image", "invalid reference format")
_CONTAINER = re.compile(r"spec\.(?:init)?[cC]ontainers\{(.+)\}")
#: Complaints that only repeat an earlier one without its reason.
_BARE = ("Error: Err", "Error: InvalidImageName", "Error: ImagePullBackOff")
#: What the pod's own conditions say, and better.
_SAID_ELSEWHERE = frozenset({"FailedScheduling"})
_MOUNT_REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})


class About(Enum):
    """The subject of a complaint."""

    IMAGE = "image"
    CONFIG = "config"
    VOLUME = "volume"
    OTHER = "other"


class Complaint(msgspec.Struct, frozen=True):
    """The last complaint about a pod."""

    about: About
    message: str
    hopeless: bool = False
    container: str = ""


def heard(before: Complaint | None, event: dict[str, Any]) -> Complaint | None:
    """
    Returns the last useful complaint about a pod after one more Event. A kubelet sends several Events about one image
    in the same second: one says that waiting is in vain, and another says why.
    """
    if event.get("type") != "Warning" or event.get("reason") in _SAID_ELSEWHERE:
        return before
    complaint = _read(event)
    same = before is not None and before.about is complaint.about and before.container == complaint.container
    hopeless = complaint.hopeless or (same and before is not None and before.hopeless)
    # "Error: ErrImagePull" follows the sentence that says why.
    if before is None or complaint.about is not before.about or not complaint.message.startswith(_BARE):
        return msgspec.structs.replace(complaint, hopeless=hopeless)
    return msgspec.structs.replace(before, hopeless=hopeless) if same else before


def _read(event: dict[str, Any]) -> Complaint:
    reason, message = event.get("reason") or "", event.get("message") or ""
    place = _CONTAINER.fullmatch(str((event.get("involvedObject") or {}).get("fieldPath") or ""))
    container = place[1] if place else ""
    if message.startswith(_PULL) or reason in _PULL_REASONS:
        hopeless = any(words in f"{reason} {message}" for words in _PULL_HOPELESS)
        return Complaint(About.IMAGE, message, hopeless, container)
    if reason in _MOUNT_REASONS:
        return Complaint(About.VOLUME, message)
    if reason == "Failed" and message.startswith("Error: ") and not runtime.of_the_node(message):
        return Complaint(About.CONFIG, message.removeprefix("Error: "), container=container)
    return Complaint(About.OTHER, f"{reason}: {message}")
