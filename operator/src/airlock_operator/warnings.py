"""
What a kubelet complains of in its events, sooner than in the pod's status. Pure.

With a native sidecar a kubelet shows a runner's waiting reason only at its next turn on the pod, ten seconds later, and
a volume that cannot be mounted never. Its events say both at once.
"""

from enum import Enum
from typing import Any

import msgspec

_PULL = ("Failed to pull image", "Error: ErrImagePull", "Error: ImagePullBackOff", "Error: ErrImageNeverPull")
_PULL_HOPELESS = ("Error: ErrImageNeverPull", "Error: InvalidImageName")
_MOUNT_REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})


class About(Enum):
    """What a complaint is about."""

    IMAGE = "image"
    CONFIG = "config"
    VOLUME = "volume"
    OTHER = "other"


class Warned(msgspec.Struct, frozen=True):
    """The last complaint about a pod."""

    about: About
    message: str
    hopeless: bool = False


def last_warning(events: list[dict[str, Any]]) -> Warned | None:
    """The last complaint that says something, None where there is none."""
    ordered = sorted((e for e in events if e.get("type") == "Warning"), key=_when)
    found: Warned | None = None
    for event in ordered:
        warned = _read(event)
        # "Error: ErrImagePull" follows the sentence that says why.
        if found is None or warned.about is not found.about or not warned.message.startswith("Error: Err"):
            found = warned
    return found


def _when(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or "")


def _read(event: dict[str, Any]) -> Warned:
    reason, message = event.get("reason") or "", event.get("message") or ""
    if message.startswith(_PULL) or reason == "InspectFailed":
        return Warned(About.IMAGE, message, hopeless=message.startswith(_PULL_HOPELESS))
    if reason in _MOUNT_REASONS:
        return Warned(About.VOLUME, message)
    if reason == "Failed" and message.startswith("Error: "):
        return Warned(About.CONFIG, message.removeprefix("Error: "))
    return Warned(About.OTHER, f"{reason}: {message}")
