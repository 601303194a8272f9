"""What every container of a TaskRun's pod is held to: the ``restricted`` Pod Security level, and a user of its own."""

from typing import Any


def security(uid: int) -> dict[str, Any]:
    """The security context of a container whose processes are this user's."""
    return {
        "runAsUser": uid,
        "runAsGroup": uid,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
