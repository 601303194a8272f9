"""The same cluster by kind, where a Docker daemon answers: what contributors on an ordinary machine have."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster import places
from cluster.commands import CommandError, run, run_slowly
from cluster.memory import Remembered
from cluster.node import configuration
from cluster.programs import golang

NAME = "airlock-test"
#: kind's own image for its pinned version, by digest. AIRLOCK_KIND_IMAGE names another.
IMAGE = "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"
FIRST = f"{NAME}-control-plane"
#: What kind labels its nodes' containers with.
LABEL = "io.x-k8s.kind.cluster"
AUDIT_POLICY = "/etc/airlock-audit/policy.json"
AUDIT_LOG = "/var/log/airlock-audit/audit.log"
#: What kind runs as a static pod; the rest are services of the node.
STATIC_PODS = {
    "apiserver": "kube-apiserver",
    "controller-manager": "kube-controller-manager",
    "scheduler": "kube-scheduler",
    "etcd": "etcd",
}
SERVICES = ("kubelet", "containerd")


class Kind:
    """The machinery of a kind cluster."""

    #: kind's own network does since kind 0.24.
    enforces_policies = True

    def __init__(self) -> None:
        self.state = places.state()

    # -- up and down

    def unavailable(self) -> str:
        """Says why kind cannot be had here; empty if it can."""
        if not shutil.which("docker"):
            return "there is no docker command"
        try:
            run(["docker", "version"], timeout=20)
        except CommandError:
            return "no Docker daemon answers"
        image = wanted_image()
        try:
            if run(["docker", "image", "inspect", image], check=False, timeout=20).returncode != 0:
                run_slowly(["docker", "pull", image], f"pulling {image}", timeout=900, log=golang.log("kind-pull"))
        except CommandError:
            return f"its node image {image} is not here and cannot be pulled"
        return ""

    def healthy(self) -> bool:
        """Tells whether the remembered cluster's API server answers."""
        remembered = Remembered.load()
        if remembered is None or not remembered.complete:
            return False
        try:
            return self._kubectl("get", "--raw=/readyz") == "ok"
        except CommandError:
            return False

    def up(self) -> None:
        """Creates the cluster; returns when its nodes are Ready."""
        self.down()
        if leftovers := self._lost():
            raise CommandError(somebody_elses(leftovers))
        self.state.mkdir(parents=True)
        places.tools().mkdir()
        Remembered("kind").save()
        # In the user's own folder, which tells whose a cluster is. A daemon in a virtual machine does not see /run.
        policy = _policy()
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_text(configuration.audit_policy())
        text = cluster_config(policy, extra=os.environ.get("AIRLOCK_KIND_CONFIG", ""), nodes=_nodes())
        (self.state / "kind.yaml").write_text(text)
        create = [
            self._kind(), "create", "cluster", f"--name={NAME}", f"--image={wanted_image()}", "--wait=120s",
            f"--config={self.state / 'kind.yaml'}", f"--kubeconfig={places.kubeconfig()}",
        ]  # fmt: skip
        run_slowly(create, "creating the kind cluster", timeout=600, log=golang.log("kind"))
        self._tools()
        self._kubectl("label", "namespace", "kube-system", "airlock.dev/test-cluster=true", "--overwrite")
        remembered = Remembered("kind", complete=True)
        remembered.save()

    def down(self) -> None:
        """Deletes the cluster, also one of ours whose state is gone. Harmless without one; others' clusters stay."""
        remembered = Remembered.load()
        if (remembered and remembered.kind == "kind") or ours(self._lost(), _policy()):
            run([self._kind(), "delete", "cluster", f"--name={NAME}"], timeout=120)
        shutil.rmtree(self.state, ignore_errors=True)

    # -- hooks

    def load_image(self, archive: Path) -> None:
        """Loads an archive on every node."""
        run([self._kind(), "load", "image-archive", str(archive), f"--name={NAME}"], timeout=300)

    def audit_lines(self) -> Iterator[str]:
        """Yields the lines of the API server's audit log."""
        yield from run(["docker", "exec", FIRST, "cat", AUDIT_LOG]).stdout.splitlines(keepends=True)

    def inside(self, node: str) -> list[str]:
        """Returns the prefix that enters a node's container."""
        return ["docker", "exec", "--interactive", node or FIRST]

    def nodes(self) -> list[str]:
        """Returns the nodes' names, the one with the control plane first."""
        names = run([self._kind(), "get", "nodes", f"--name={NAME}"]).stdout.split()
        return sorted(names, key=lambda name: (name != FIRST, name))

    def stop(self, component: str, node: str) -> None:
        """Stops a service by systemd, or a static pod by removing its manifest."""
        if component in SERVICES:
            run([*self.inside(node), "systemctl", "stop", component])
            return
        name = _static(component)
        script = f"mkdir -p {_PARKED} && mv {_MANIFESTS}/{name}.yaml {_PARKED}/"
        run([*self.inside(node), "sh", "-ec", script])
        self._wait_container(node, name, running=False)

    def start(self, component: str, node: str) -> None:
        """Does the reverse of `stop`."""
        if component in SERVICES:
            run([*self.inside(node), "systemctl", "start", component])
            return
        name = _static(component)
        run(
            [
                *self.inside(node),
                "sh",
                "-ec",
                f"test -e {_MANIFESTS}/{name}.yaml || mv {_PARKED}/{name}.yaml {_MANIFESTS}/",
            ]
        )
        self._wait_container(node, name, running=True)

    def add_node(self) -> str:
        """kind cannot add a node to a cluster that runs."""
        raise CommandError("kind cannot add a node to a running cluster: `down`, then AIRLOCK_NODES=2 and `up`")

    def remove_node(self, name: str) -> None:
        """Removes a worker's container, as a failing machine would be gone, and its Node object."""
        if name == FIRST or name not in self.nodes():
            raise CommandError(f"{name} is not a node that can be removed; there are {', '.join(self.nodes())}")
        run(["docker", "rm", "--force", "--volumes", name])
        self._kubectl("delete", "node", name, "--ignore-not-found")

    # -- parts

    def _kind(self) -> str:
        # Never the one on PATH: the node image goes with the version that is pinned here.
        return str(golang.built(golang.KIND) / "kind")

    def _lost(self) -> list[dict[str, Any]]:
        """
        Returns the containers of a cluster of this name, as `docker inspect` shows them, whatever is remembered of it.
        """
        if not shutil.which("docker"):
            return []
        listing = run(["docker", "ps", "--all", "--quiet", f"--filter=label={LABEL}={NAME}"], check=False, timeout=20)
        names = listing.stdout.split() if listing.returncode == 0 else []
        containers: list[dict[str, Any]] = json.loads(run(["docker", "inspect", *names]).stdout) if names else []
        return containers

    def _tools(self) -> None:
        """kubectl and helm, for this machine."""
        node = run(["docker", "exec", FIRST, "uname", "-m"]).stdout.strip()
        if node_kubectl_fits(node, platform.machine(), sys.platform):
            # The node image has the very kubectl of its cluster.
            run(["docker", "cp", f"{FIRST}:/usr/bin/kubectl", str(places.tools() / "kubectl")])
        else:
            (places.tools() / "kubectl").symlink_to(golang.built(golang.KUBECTL) / "kubectl")
        (places.tools() / "helm").symlink_to(golang.helm() / "helm")

    def _kubectl(self, *words: str) -> str:
        return run([places.tools() / "kubectl", f"--kubeconfig={places.kubeconfig()}", *words]).stdout

    def _wait_container(self, node: str, name: str, *, running: bool) -> None:
        until = time.monotonic() + 60
        command = [*self.inside(node), "crictl", "ps", "--quiet", f"--name=^{name}$", "--state=Running"]
        while bool(run(command).stdout.strip()) != running:
            if time.monotonic() > until:
                raise CommandError(f"{name} is {'not ' if running else 'still '}running after 60 s")
            time.sleep(0.2)


_MANIFESTS = "/etc/kubernetes/manifests"
_PARKED = "/etc/kubernetes/stopped"


def ours(containers: list[dict[str, Any]], policy: Path) -> bool:
    """Tells whether a cluster of our name is this user's: its first node has the policy that this user's `up` wrote."""
    sources = [
        mount.get("Source")
        for container in containers
        for mount in container.get("Mounts", [])
        if mount.get("Destination") == AUDIT_POLICY
    ]
    return bool(sources) and all(str(source) == str(policy) for source in sources)


def somebody_elses(containers: list[dict[str, Any]]) -> str:
    """Returns the message about a cluster of our name that is not this user's."""
    names = ", ".join(sorted(str(container.get("Name", "")).lstrip("/") for container in containers))
    return (
        f"a kind cluster {NAME} is here that is not yours ({names}): there is one a Docker daemon; whoever made it "
        "ends it by `make down`"
    )


def node_kubectl_fits(node: str, machine: str, system: str) -> bool:
    """Tells whether a node's kubectl runs on this machine. ``node`` and ``machine`` are as `uname -m` says."""
    same = {"arm64": "aarch64", "amd64": "x86_64"}
    return system == "linux" and same.get(node, node) == same.get(machine, machine)


def _policy() -> Path:
    return places.cache() / "kind" / "audit-policy.json"


def _static(component: str) -> str:
    if component not in STATIC_PODS:
        raise ValueError(f"a node has no component {component!r}; it has {', '.join((*STATIC_PODS, *SERVICES))}")
    return STATIC_PODS[component]


def _nodes() -> int:
    return int(os.environ.get("AIRLOCK_NODES") or "1")


def wanted_image() -> str:
    """Returns the node image: AIRLOCK_KIND_IMAGE, or the pinned one."""
    return os.environ.get("AIRLOCK_KIND_IMAGE") or IMAGE


def cluster_config(policy: Path, *, extra: str, nodes: int) -> str:
    """
    kind's configuration, as JSON (which YAML is), for nodes of Kubernetes 1.36 or newer.

    ``extra`` is the path of one more configuration (AIRLOCK_KIND_CONFIG), whose parts are added to ours: its patches
    are appended, its ``nodes`` replace ours but get our mount, any other top-level field replaces ours. It is JSON,
    or YAML where PyYAML is installed. Raises CommandError when it cannot be read.
    """
    mount = {"hostPath": str(policy), "containerPath": AUDIT_POLICY, "readOnly": True}
    patch = {"group": "kubeadm.k8s.io", "version": "v1beta4", "kind": "ClusterConfiguration"}
    config: dict[str, Any] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane"}, *({"role": "worker"} for _ in range(nodes - 1))],
        "kubeadmConfigPatches": [],
        "kubeadmConfigPatchesJSON6902": [patch | {"patch": json.dumps(_additions())}],
        "containerdConfigPatches": [],
    }
    for name, value in (_read(Path(extra)) if extra else {}).items():
        config[name] = [*config[name], *value] if "Patches" in name and name in config else value
    for node in config["nodes"]:
        if node["role"] == "control-plane":
            node["extraMounts"] = [*node.get("extraMounts", []), mount]
    return json.dumps(config, indent=1)


def _additions() -> list[dict[str, Any]]:
    """Returns what is added to kubeadm's configuration, beside kind's own arguments: those stay."""
    folders = {"audit-policy": str(Path(AUDIT_POLICY).parent), "audit-log": str(Path(AUDIT_LOG).parent)}
    arguments = {
        "/apiServer": {"audit-policy-file": AUDIT_POLICY, "audit-log-path": AUDIT_LOG, "audit-log-maxsize": "2000"},
        # As on a bare node: a test that loses a node need not wait the usual 50 s for the cluster to see it.
        "/controllerManager": {"node-monitor-period": "2s", "node-monitor-grace-period": "20s"},
    }
    volumes = [
        {"name": name, "hostPath": path, "mountPath": path, "pathType": "DirectoryOrCreate"}
        for name, path in folders.items()
    ]
    return [
        {"op": "add", "path": "/apiServer/extraVolumes", "value": volumes},
        *(
            {"op": "add", "path": f"{component}/extraArgs/-", "value": {"name": name, "value": value}}
            for component, extra in arguments.items()
            for name, value in extra.items()
        ),
    ]


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except OSError as error:
        raise CommandError(f"AIRLOCK_KIND_CONFIG={path} cannot be read: {error}") from error
    try:
        content = json.loads(text)
    except ValueError:
        try:
            import yaml  # type: ignore[import-untyped]
        except ImportError as error:
            raise CommandError(f"{path} is YAML, and PyYAML is not installed: write it as JSON") from error
        content = yaml.safe_load(text)
    if not isinstance(content, dict):
        raise CommandError(f"{path} is not a kind configuration: it has to be one object")
    return content
