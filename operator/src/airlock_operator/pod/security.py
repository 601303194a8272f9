"""The security context of each container in a TaskRun's pod: Pod Security level ``restricted``, and its own user."""

from typing import Any


def security(uid: int) -> dict[str, Any]:
    """Returns the security context of a container whose processes are this user's."""
    return {
        "runAsUser": uid,
        "runAsGroup": uid,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
