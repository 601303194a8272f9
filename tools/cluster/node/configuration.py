"""The text of every configuration file of a bare cluster. All pure; JSON where YAML is wanted, as it is YAML too."""

from __future__ import annotations

import json
from pathlib import Path

from cluster.node.addresses import DNS_SERVICE, DOMAIN, FIRST, PODS, NodeAddress

#: Our own sandbox image; its archive is built with the others.
PAUSE_IMAGE = "docker.io/airlock/pause:1"
#: Where a node's runtime listens, the same inside every node.
RUNTIME_SOCKET = "/run/containerd/containerd.sock"


def containerd(*, snapshotter: str, may_lower_oom_score: bool) -> str:
    """containerd's configuration. Without CAP_SYS_RESOURCE a container starts only where its OOM score may stay."""
    restrict = str(not may_lower_oom_score).lower()
    runtime = "plugins.'io.containerd.cri.v1.runtime'"
    images = "plugins.'io.containerd.cri.v1.images'"
    return f"""version = 3
[{images}]
snapshotter = "{snapshotter}"
[{images}.pinned_images]
sandbox = "{PAUSE_IMAGE}"
[{runtime}]
restrict_oom_score_adj = {restrict}
[{runtime}.containerd]
default_runtime_name = "runc"
[{runtime}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{runtime}.containerd.runtimes.runc.options]
SystemdCgroup = false
[{runtime}.cni]
bin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
conf_dir = "/etc/cni/net.d"
"""


def pod_network(node: NodeAddress) -> str:
    """
    Returns the CNI chain. It has point-to-point links and not a bridge. Then all traffic, also between pods of one
    node, passes the node's own routing. So kube-proxy and `drop-packets` see it without the kernel's bridge filter.
    """
    chain = {
        "cniVersion": "1.0.0",
        "name": "airlock-test",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": node.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(chain, indent=1)


def kubelet(node: NodeAddress, pki: Path, folder: Path, control_group: str) -> str:
    """Returns the kubelet's configuration: nothing of the machine's disk or swap may evict what a test runs."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True, "cacheTTL": "10s"},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": control_group,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "nodeStatusUpdateFrequency": "5s",
        "oomScoreAdj": 0,
        "resolvConf": str(folder / "resolv.conf"),
        "serializeImagePulls": False,
        "tlsCertFile": str(pki / f"kubelet-{node.name}-serving.crt"),
        "tlsPrivateKeyFile": str(pki / f"kubelet-{node.name}-serving.key"),
        "volumePluginDir": str(folder / "volume-plugins"),
    }
    return json.dumps(config, indent=1)


def proxy(node: NodeAddress, kubeconfig: Path) -> str:
    """kube-proxy's configuration; the kernel's connection table is the machine's, so its size is left alone."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": PODS,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
        "hostnameOverride": node.name,
        "mode": "iptables",
        "oomScoreAdj": 0,
    }
    return json.dumps(config, indent=1)


def corefile(kubeconfig: Path) -> str:
    """CoreDNS's configuration. Only the cluster's names: nothing outside can be reached from a node's own network."""
    return f"""{DOMAIN}:53 in-addr.arpa:53 {{
    bind {FIRST.ip}
    errors
    cache 5
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
"""


def audit_policy() -> str:
    """
    Returns the audit policy: every call with its user, verb, object and answer, and bodies of what Airlock writes.

    Never a body of a Secret, a token request or a token review: the log would then hold credentials.
    """
    nothing = {"level": "None", "users": ["system:apiserver"], "verbs": ["get", "list", "watch"]}
    leases = {
        "level": "None",
        "userGroups": ["system:nodes"],
        "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}],
    }
    bodies = {
        "level": "RequestResponse",
        "verbs": ["create", "update", "patch", "delete"],
        "resources": [
            {"group": "", "resources": ["pods", "pods/status"]},
            {"group": "airlock.dev", "resources": ["*"]},
        ],
    }
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [nothing, leases, bodies, {"level": "Metadata"}],
    }
    return json.dumps(policy, indent=1)
