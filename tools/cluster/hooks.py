"""
What a test knows of a cluster beside its KUBECONFIG: five hooks, the same for a bare node and for kind.

`cluster.hooks.connect()` gives them. A cluster that is not ours has no hooks, and a test that needs one says so
with ``needs(hooks)``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from cluster import packets, places
from cluster.commands import CommandError, run
from cluster.memory import Remembered

#: The word for the first node, whatever its name is.
FIRST_NODE = ""


class Machinery(Protocol):
    """What a kind of cluster does differently."""

    #: Whether its network enforces NetworkPolicy.
    enforces_policies: bool

    def load_image(self, archive: Path) -> None: ...

    def audit_lines(self) -> Iterator[str]: ...

    def inside(self, node: str) -> list[str]:
        """Returns the command prefix that runs a command on a node; the first node for an empty name."""
        ...

    def nodes(self) -> list[str]: ...

    def stop(self, component: str, node: str) -> None: ...

    def start(self, component: str, node: str) -> None: ...

    def add_node(self) -> str: ...

    def remove_node(self, name: str) -> None: ...


class Hooks:
    """The hooks. Each raises CommandError, with what the cluster's tools said, when it cannot do its work."""

    def __init__(self, machinery: Machinery, kubeconfig: Path) -> None:
        self._machinery = machinery
        self.kubeconfig = kubeconfig

    def kubectl(self, *words: str, stdin: str | None = None, timeout: float = 60.0) -> str:
        """Runs kubectl as the cluster's administrator and returns its output."""
        argv = [_kubectl(), f"--kubeconfig={self.kubeconfig}", *words]
        return run(argv, stdin=stdin, timeout=timeout).stdout

    @property
    def enforces_policies(self) -> bool:
        """Whether the cluster's network enforces NetworkPolicy."""
        return self._machinery.enforces_policies

    def load_image(self, archive: str | Path) -> None:
        """Makes the images of an archive (as `docker save` writes it) known to every node."""
        self._machinery.load_image(Path(archive))

    def audit_log(self) -> Iterator[dict[str, Any]]:
        """
        Yields every answered call to the API server so far, oldest first, as `audit.k8s.io/v1` Events.

        The API server writes an entry before it answers: what a caller has an answer to is in here.
        """
        for line in self.audit_lines():
            yield json.loads(line)

    def audit_lines(self) -> Iterator[str]:
        """Returns the same as lines of JSON."""
        # The last line may be half written.
        return (line for line in self._machinery.audit_lines() if line.endswith("\n"))

    def nodes(self) -> list[str]:
        """Returns the nodes' names; the first is the one with the control plane."""
        return self._machinery.nodes()

    def node_exec(
        self, *argv: str, node: str = FIRST_NODE, timeout: float = 60.0, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command on a node, as root, in the node's namespaces; the usual paths are there (/var/lib/kubelet)."""
        return run([*self._machinery.inside(node), *argv], timeout=timeout, check=check)

    def restart(self, component: str, node: str = FIRST_NODE) -> None:
        """
        Stops a component (SIGTERM) and starts it again: apiserver, controller-manager, scheduler, etcd, kubelet or
        containerd. Returns when it runs, not when it is ready.
        """
        self._machinery.stop(component, node)
        self._machinery.start(component, node)

    def stop(self, component: str, node: str = FIRST_NODE) -> None:
        """Stops a component until it is started again. Pods go on running."""
        self._machinery.stop(component, node)

    def start(self, component: str, node: str = FIRST_NODE) -> None:
        """Starts a stopped component."""
        self._machinery.start(component, node)

    @contextlib.contextmanager
    def stopped(self, component: str, node: str = FIRST_NODE) -> Iterator[None]:
        """Takes a component away inside the block."""
        self.stop(component, node)
        try:
            yield
        finally:
            self.start(component, node)

    def drop_packets(self, first: str, second: str) -> None:
        """
        Freezes the traffic between two endpoints, both ways, on all nodes, until `pass_packets`. No connection is
        closed. Endpoints: see ``cluster.packets.ends``.
        """
        ends = packets.ends(first, self.kubectl), packets.ends(second, self.kubectl)
        for node in self.nodes():
            for rule in packets.rules(*ends):
                run([*self._machinery.inside(node), *packets.adding(rule)])

    def pass_packets(self) -> None:
        """Undoes every `drop_packets`."""
        for node in self.nodes():
            inside = self._machinery.inside(node)
            saved = run([*inside, "iptables", "-w", "10", "-t", "mangle", "-S"]).stdout
            for command in packets.removing(saved):
                run([*inside, *command])

    @contextlib.contextmanager
    def dropped_packets(self, first: str, second: str) -> Iterator[None]:
        """Freezes the traffic between two endpoints inside the block."""
        self.drop_packets(first, second)
        try:
            yield
        finally:
            self.pass_packets()

    def add_node(self) -> str:
        """Adds a node and returns its name once it is Ready. Images that were loaded are on it too."""
        return self._machinery.add_node()

    def remove_node(self, name: str) -> None:
        """Ends a node as a failing machine would, and deletes its Node object. Never the first."""
        self._machinery.remove_node(name)


def connect() -> Hooks | None:
    """
    Returns the hooks of the running cluster; None when KUBECONFIG is that of a cluster that we did not bring up.

    Raises CommandError when there is no cluster at all.
    """
    remembered = Remembered.load()
    own_kubeconfig = places.kubeconfig()
    kubeconfig = os.environ.get("KUBECONFIG")
    if kubeconfig and (remembered is None or Path(kubeconfig).resolve() != own_kubeconfig.resolve()):
        return None
    if remembered is None or not remembered.complete:
        raise CommandError("no cluster is up: run `make up`, or set KUBECONFIG to a test cluster's")
    if remembered.kind == "kind":
        from cluster.kind import Kind

        return Hooks(Kind(), own_kubeconfig)
    from cluster.node.bare import Bare

    return Hooks(Bare(), own_kubeconfig)


def _kubectl() -> str:
    own_kubectl = places.tools() / "kubectl"
    return str(own_kubectl) if own_kubectl.exists() else "kubectl"
