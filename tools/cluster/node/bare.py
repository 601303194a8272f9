"""A bare node: the whole of Kubernetes as processes of this machine, in namespaces of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster import places, processes
from cluster.commands import CommandError, run, say
from cluster.memory import Remembered, RememberedNode
from cluster.node import cgroups, configuration, holder, network
from cluster.node.addresses import FIRST, MOST_NODES, NodeAddress
from cluster.node.certificates import Authority, cluster_leaves, node_leaves
from cluster.node.components import AGENTS, CONTROL_PLANE, VOLUMES, Files, arguments
from cluster.processes import Recorded
from cluster.programs import debian, golang

#: The bit of `CAP_SYS_RESOURCE` in a capability mask.
_SYS_RESOURCE = 1 << 24
#: Seconds until a component that was told to end is killed. An API server takes no more connections then, but waits for
#: those that it has. After 15 s of that the scheduler, turned away again and again, did not ask for another 30 s.
_GRACE = {"apiserver": 2.0}


class Bare:
    """The machinery of a bare cluster; everything it needs to know is remembered on disk."""

    #: Its network is a bridge.
    enforces_policies = False

    def __init__(self) -> None:
        self.state = places.state()

    # -- up and down

    def healthy(self) -> bool:
        """Tells whether the remembered cluster runs: every component that was started is alive."""
        remembered = Remembered.load()
        return (
            remembered is not None
            and remembered.complete
            and all(
                processes.alive(node.holder) and all(processes.alive(part) for part in node.components.values())
                for node in remembered.nodes.values()
            )
        )

    def up(self) -> None:
        """Brings up the first node; returns when it is Ready. What a broken one left is removed first."""
        debian.install(debian.NODE_PACKAGES)
        programs = [golang.built(build) for build in golang.NODE]
        helm = golang.helm()
        self.down()
        self.state.mkdir(parents=True)
        self._link(self.state / "bin", [path for folder in programs for path in folder.iterdir()])
        self._link(places.tools(), [self.state / "bin" / "kubectl", helm / "helm"])
        Remembered("bare").save()
        self._configure()
        self._start_node(FIRST, ("etcd", "apiserver"))
        self._wait("the API server", lambda: self._kubectl("get", "--raw=/readyz") == "ok", 60)
        self._kubectl("apply", f"--filename={places.MANIFESTS / 'bare.yaml'}")
        self._kubectl("label", "namespace", "kube-system", "airlock.dev/test-cluster=true")
        for component in (*AGENTS, *CONTROL_PLANE[2:]):
            self.start(component, FIRST.name)
        self._wait_ready(FIRST)
        self._wait("the default service account", self._has_default_account, 60)
        remembered = self._remembered()
        remembered.complete = True
        remembered.save()

    def down(self) -> None:
        """Ends everything that `up` made. Harmless when nothing is there."""
        with contextlib.suppress(FileNotFoundError):
            remembered = Remembered.load()
            if remembered:
                for node in reversed(remembered.nodes.values()):
                    self._end(node, remembered.nodes[FIRST.name].holder)
                cgroups.remove()
                for folder in remembered.folders:
                    # Only what is empty: the machine may have begun to use it.
                    with contextlib.suppress(OSError):
                        os.rmdir(folder)
        shutil.rmtree(places.data(), ignore_errors=True)
        shutil.rmtree(self.state, ignore_errors=True)

    # -- hooks

    def load_image(self, archive: Path) -> None:
        """Imports an archive on every node."""
        for node in self.nodes():
            self._import(node, archive)
        # For nodes that come later. A link costs nothing; another file system wants a copy.
        archives = self.state / "archives"
        archives.mkdir(exist_ok=True)
        copy = archives / (archive_name(archive) + ".tar")
        copy.unlink(missing_ok=True)
        try:
            os.link(archive, copy)
        except OSError:
            shutil.copyfile(archive, copy)

    def audit_lines(self) -> Iterator[str]:
        """Yields the lines of the API server's audit log."""
        with Files(self.state, FIRST).audit_log.open() as lines:
            yield from lines

    def inside(self, node: str) -> list[str]:
        """Returns the prefix that enters a node."""
        environment = [f"{name}={value}" for name, value in holder.environment(self.state / "bin").items()]
        return [*holder.enter(self._node(node).holder, ["env", *environment])]

    def nodes(self) -> list[str]:
        """Returns the nodes' names, the first one first."""
        return list(self._remembered().nodes)

    def stop(self, component: str, node: str) -> None:
        """Stops a component by its recorded id."""
        remembered = self._remembered()
        place = remembered.nodes[node or FIRST.name]
        arguments(component, Files(self.state, NodeAddress(place.number)))  # refuses a name that no component has
        running = place.components.pop(component, None)
        if running:
            processes.stop(running, _GRACE.get(component, processes.GRACE_SECONDS))
        remembered.save()

    def start(self, component: str, node: str) -> None:
        """Starts a component, unless it runs."""
        remembered = self._remembered()
        place = remembered.nodes[node or FIRST.name]
        running = place.components.get(component)
        if running and processes.alive(running):
            return
        files = Files(self.state, NodeAddress(place.number))
        argv = arguments(component, files)
        program = files.bin / argv[0]
        # The link itself is started, not what it points to: its name picks the component.
        command = holder.enter(place.holder, [program, *argv[1:]])
        place.components[component] = processes.start_child(
            command, files.log(component), holder.environment(files.bin)
        )
        remembered.save()
        cgroups.hold(node or FIRST.name, place.components[component].pid)
        if component == "containerd":
            # A kubelet that finds nobody at its socket ends, and nobody would start it again.
            name = node or FIRST.name
            self._wait("containerd", lambda: self._answers(name), 60)

    def add_node(self) -> str:
        """Starts one more node, with the images that were loaded before; returns its name once it is Ready."""
        used = {node.number for node in self._remembered().nodes.values()}
        free = [number for number in range(2, MOST_NODES + 1) if number not in used]
        if not free:
            raise CommandError(f"a bare cluster has at most {MOST_NODES} nodes")
        node = NodeAddress(free[0])
        self._start_node(node, AGENTS)
        for archive in sorted((self.state / "archives").glob("*")):
            self._import(node.name, archive)
        self._wait_ready(node)
        return node.name

    def remove_node(self, name: str) -> None:
        """Kills a node, as a machine that loses its power, and deletes its Node object."""
        remembered = self._remembered()
        if name not in remembered.nodes or name == FIRST.name:
            raise CommandError(f"{name} is not a node that can be removed; there are {', '.join(remembered.nodes)}")
        self._end(remembered.nodes.pop(name), self._node("").holder)
        remembered.save()
        cgroups.remove(name)
        shutil.rmtree(places.data() / name, ignore_errors=True)
        self._kubectl("delete", "node", name, "--ignore-not-found")

    # -- parts

    def _remembered(self) -> Remembered:
        remembered = Remembered.load()
        if remembered is None:
            raise CommandError("no bare cluster is up")
        return remembered

    def _node(self, name: str) -> RememberedNode:
        nodes = self._remembered().nodes
        if (name or FIRST.name) not in nodes:
            raise CommandError(f"there is no node {name}; there are {', '.join(nodes)}")
        return nodes[name or FIRST.name]

    def _link(self, folder: Path, programs: list[Path]) -> None:
        folder.mkdir()
        for program in programs:
            (folder / program.name).symlink_to(program)

    def _configure(self) -> None:
        """Writes what does not belong to one node."""
        files = Files(self.state, FIRST)
        authority = Authority(files.pki)
        for leaf in cluster_leaves():
            authority.issue(leaf)
        files.kubeconfig("").mkdir(mode=0o700)
        for name in ("controller-manager", "scheduler", "proxy", "coredns", "volumes"):
            authority.kubeconfig(name, files.kubeconfig(name))
        authority.kubeconfig("admin", places.kubeconfig())
        files.audit_log.parent.mkdir()
        (files.audit_log.parent / "policy.json").write_text(configuration.audit_policy())
        (self.state / "Corefile").write_text(configuration.corefile(files.kubeconfig("coredns")))

    def _start_node(self, node: NodeAddress, components: tuple[str, ...]) -> None:
        files, data = Files(self.state, node), places.data() / node.name
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        volumes = places.data() / "volumes"
        volumes.mkdir(exist_ok=True)
        authority = Authority(files.pki)
        for leaf in node_leaves(node):
            authority.issue(leaf)
        authority.kubeconfig(f"kubelet-{node.name}", files.kubeconfig(f"kubelet-{node.name}"))
        group = cgroups.make(node.name)
        files.folder.mkdir(exist_ok=True)
        (files.folder / "containerd.toml").write_text(
            configuration.containerd(snapshotter=snapshotter(data), may_lower_oom_score=may_lower_oom_score())
        )
        (files.folder / "kubelet.json").write_text(configuration.kubelet(node, files.pki, files.folder, group))
        (files.folder / "proxy.json").write_text(configuration.proxy(node, files.kubeconfig("proxy")))
        (files.folder / "resolv.conf").write_text("# A node's own network has no name server.\n")
        remembered = self._remembered()
        node_holder, mount_points = holder.start(
            node.name, files.bin / "pause", data, volumes, VOLUMES, files.log("holder")
        )
        remembered.nodes[node.name] = RememberedNode(node.number, node_holder)
        remembered.folders += mount_points
        remembered.save()
        first = node_holder if node == FIRST else self._node(FIRST.name).holder
        network.link(node, node_holder, first)
        (data / "etc-cni-net.d" / "10-airlock-test.conflist").write_text(configuration.pod_network(node))
        for component in components:
            self.start(component, node.name)

    def _end(self, node: RememberedNode, first: Recorded) -> None:
        # The kernel ends everything else in the node with its first process, and takes mounts along.
        inside = [part for part in node.components.values() if processes.alive(part)]
        processes.kill(node.holder)
        until = time.monotonic() + 20
        while any(processes.alive(part) for part in inside):
            if time.monotonic() > until:
                raise CommandError(f"processes of node {node.number} do not end: {inside}")
            time.sleep(0.01)
        network.unlink(NodeAddress(node.number), first)

    def _import(self, node: str, archive: Path) -> None:
        prefix = self.inside(node)
        self._wait("containerd", lambda: self._answers(node), 30)
        # By ctr itself, not by containerd, to which ctr would send the whole archive in small messages: half the time.
        command = ["ctr", "--namespace=k8s.io", "images", "import", "--local", str(archive.resolve())]
        run([*prefix, *command], timeout=180)

    def _answers(self, node: str) -> bool:
        return run([*self.inside(node), "ctr", "version"], check=False).returncode == 0

    def _kubectl(self, *words: str) -> str:
        argv = [str(places.tools() / "kubectl"), f"--kubeconfig={places.kubeconfig()}", *words]
        return run(argv).stdout

    def _has_default_account(self) -> bool:
        return bool(self._kubectl("get", "serviceaccount", "default", "--namespace=default", "--output=name"))

    def _wait_ready(self, node: NodeAddress) -> None:
        def ready() -> bool:
            # What systemd does for a kubelet that ended.
            self.start("kubelet", node.name)
            node_object = json.loads(self._kubectl("get", "node", node.name, "--output=json"))
            conditions = {part["type"]: part["status"] for part in node_object["status"]["conditions"]}
            return conditions.get("Ready") == "True" and not node_object["spec"].get("taints")

        self._wait(f"node {node.name}", ready, 90)

    def _wait(self, what: str, true: Callable[[], bool], timeout: float) -> None:
        """Waits until ``true`` answers so; a CommandError meanwhile means "not yet", and is told at the end."""
        until, error_text = time.monotonic() + timeout, ""
        start = time.monotonic()
        while time.monotonic() < until:
            try:
                if true():
                    say(f"{what}: ready after {time.monotonic() - start:.1f} s")
                    return
            except CommandError as error:
                error_text = str(error)
            time.sleep(0.2)
        raise CommandError(f"{what} was not ready after {timeout:g} s (logs: {self.state / 'logs'}). {error_text}")


def archive_name(archive: Path) -> str:
    """Returns a file name for the images in an archive, so that a newer archive of the same replaces an older one."""
    try:
        with tarfile.open(archive) as tar:
            manifest = tar.extractfile("manifest.json")
            tags = [tag for image in json.load(manifest or io.BytesIO(b"[]")) for tag in image.get("RepoTags") or []]
    except (KeyError, OSError, ValueError, tarfile.TarError) as error:
        raise CommandError(f"{archive} is not an image archive as `docker save` writes it: {error}") from error
    return "+".join(tags).replace("/", "_") or archive.stem


def may_lower_oom_score() -> bool:
    """Tells whether this process holds CAP_SYS_RESOURCE."""
    status = Path("/proc/self/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(mask, 16) & _SYS_RESOURCE)


def snapshotter(folder: Path) -> str:
    """Tells how containerd unpacks images: overlayfs cannot lie on overlayfs, as it does in a container."""
    kind = run(["stat", "--file-system", "--format=%T", folder]).stdout.strip()
    return "native" if kind == "overlayfs" else "overlayfs"
