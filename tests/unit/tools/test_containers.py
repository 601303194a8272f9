"""A container's first process, found in what the runtime on the node prints."""

from types import SimpleNamespace

import pytest

from cluster import containers
from cluster.commands import CommandError

POD = {
    "metadata": {"name": "job-1"},
    "status": {
        "initContainerStatuses": [{"name": "sidecar", "containerID": "containerd://aa"}],
        "containerStatuses": [{"name": "runner", "containerID": "containerd://bb"}],
    },
}


def node(printed):
    """Hooks whose node's runtime prints this."""
    return SimpleNamespace(node_exec=lambda *argv: SimpleNamespace(stdout=printed))


@pytest.mark.parametrize(("container", "pid"), [("sidecar", 71), ("runner", 72)])
def test_a_containers_process_is_found_by_the_runtimes_id(container, pid):
    printed = "TASK    PID    STATUS\naa    71    RUNNING\nbb    72    RUNNING\n"

    assert pid == containers.process_id(node(printed), POD, container)


def test_a_container_without_a_process_is_named():
    with pytest.raises(CommandError, match="container runner of pod job-1"):
        containers.process_id(node("TASK    PID    STATUS\naa    71    RUNNING\n"), POD, "runner")
