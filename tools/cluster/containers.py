"""The processes of a pod's containers, found on their node as the container runtime knows them."""

from __future__ import annotations

from typing import Any

from cluster.commands import CommandError
from cluster.hooks import Hooks

_CTR = ("ctr", "-n", "k8s.io")


def container_id(pod: dict[str, Any], container: str) -> str:
    """Returns the runtime's id of a running container; ``pod`` is as the API server gives it."""
    status = pod["status"]
    every = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    container_status = next(each for each in every if each["name"] == container)
    return str(container_status["containerID"]).removeprefix("containerd://")


def process_id(hooks: Hooks, pod: dict[str, Any], container: str) -> int:
    """Returns the id, on the node, of a container's first process; raises CommandError if it does not run."""
    runtime_id = container_id(pod, container)
    for line in hooks.node_exec(*_CTR, "tasks", "ls").stdout.splitlines():
        words = line.split()
        if words and words[0] == runtime_id:
            return int(words[1])
    raise CommandError(f"container {container} of pod {pod['metadata']['name']} runs no process")
