"""What runs on a bare node: each component's arguments, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.node.addresses import API_PORT, ETCD_PORT, FIRST, SERVICES, NodeAddress

#: The folder with a subfolder for every volume; the same path in every node, and the same folder.
VOLUMES = "/var/lib/airlock-volumes"

#: In the order in which they are started; the first node has all of them, the others the agents.
AGENTS = ("containerd", "kubelet", "proxy")
CONTROL_PLANE = ("etcd", "apiserver", "controller-manager", "scheduler", "coredns", "volumes")


@dataclass(frozen=True)
class Files:
    """Where a node's configuration is."""

    state: Path
    node: NodeAddress

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def bin(self) -> Path:
        return self.state / "bin"

    @property
    def folder(self) -> Path:
        return self.state / self.node.name

    @property
    def audit_log(self) -> Path:
        return self.state / "audit" / "audit.log"

    def kubeconfig(self, leaf: str) -> Path:
        return self.state / "kubeconfigs" / leaf

    def log(self, component: str) -> Path:
        return self.state / "logs" / self.node.name / f"{component}.log"


def _apiserver(files: Files) -> list[str]:
    pki = files.pki
    return [
        "kube-apiserver",
        f"--advertise-address={FIRST.ip}",
        f"--secure-port={API_PORT}",
        f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}",
        f"--service-cluster-ip-range={SERVICES}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'accounts.key'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--audit-policy-file={files.state / 'audit' / 'policy.json'}",
        f"--audit-log-path={files.audit_log}",
        "--audit-log-maxsize=2000",
    ]


def _controller_manager(files: Files) -> list[str]:
    pki, kubeconfig = files.pki, files.kubeconfig("controller-manager")
    return [
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / 'accounts.key'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        # A test that loses a node need not wait the usual 50 s for the cluster to see it.
        "--node-monitor-period=2s",
        "--node-monitor-grace-period=20s",
    ]


def _scheduler(files: Files) -> list[str]:
    kubeconfig = files.kubeconfig("scheduler")
    return [
        "kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",
    ]


def arguments(component: str, files: Files) -> list[str]:
    """Returns a component's command; the first word is a program in the node's `bin`."""
    node = files.node
    match component:
        case "etcd":
            return [
                "etcd",
                "--data-dir=/var/lib/etcd",
                f"--listen-client-urls=http://127.0.0.1:{ETCD_PORT}",
                f"--advertise-client-urls=http://127.0.0.1:{ETCD_PORT}",
                "--listen-peer-urls=http://127.0.0.1:2380",
                # A test cluster's data need not survive the machine, and a laptop's disk is slow to sync.
                "--unsafe-no-fsync",
                "--log-level=warn",
            ]
        case "apiserver":
            return _apiserver(files)
        case "controller-manager":
            return _controller_manager(files)
        case "scheduler":
            return _scheduler(files)
        case "containerd":
            return ["containerd", f"--config={files.folder / 'containerd.toml'}"]
        case "kubelet":
            return [
                "kubelet",
                f"--config={files.folder / 'kubelet.json'}",
                f"--kubeconfig={files.kubeconfig(f'kubelet-{node.name}')}",
                f"--hostname-override={node.name}",
                f"--node-ip={node.ip}",
                "--root-dir=/var/lib/kubelet",
            ]
        case "proxy":
            return ["kube-proxy", f"--config={files.folder / 'proxy.json'}"]
        case "coredns":
            return ["coredns", f"-conf={files.state / 'Corefile'}"]
        case "volumes":
            return ["volumes", f"--kubeconfig={files.kubeconfig('volumes')}", f"--folder={VOLUMES}"]
        case _:
            names = ", ".join((*CONTROL_PLANE, *AGENTS))
            raise ValueError(f"a node has no component {component!r}; it has {names}")
