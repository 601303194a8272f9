"""The numbers, arguments and configuration files of a bare cluster."""

import ipaddress
import json
import tomllib
from pathlib import Path

import pytest

from cluster.node import cgroups, configuration
from cluster.node.addresses import MOST_NODES, PODS, NodeAddress
from cluster.node.components import AGENTS, CONTROL_PLANE, Files, arguments

NODES = [NodeAddress(number) for number in range(1, MOST_NODES + 1)]


def test_no_two_nodes_share_an_address_or_a_network():
    links = [ipaddress.ip_network(f"{node.ip}/30", strict=False) for node in NODES]
    pods = [ipaddress.ip_network(node.pods) for node in NODES]

    assert 2 * MOST_NODES == len({node.ip for node in NODES} | {node.gateway for node in NODES})
    assert all(ipaddress.ip_address(node.gateway) in link for node, link in zip(NODES, links, strict=True))
    assert not any(a.overlaps(b) for group in (links, pods) for a in group for b in group if a is not b)
    assert all(network.subnet_of(ipaddress.ip_network(PODS)) for network in pods)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_an_interface_name_fits_the_kernel(node):
    assert len(node.name) <= 15


@pytest.mark.parametrize("component", [*CONTROL_PLANE, *AGENTS])
def test_every_component_has_a_command(component):
    argv = arguments(component, Files(Path("/s"), NODES[0]))

    assert "/" not in argv[0]
    assert all(word.startswith("-") for word in argv[1:])


def test_an_unknown_component_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no component 'kubelets'; it has .*kubelet"):
        arguments("kubelets", Files(Path("/s"), NODES[0]))


def test_the_api_server_audits_and_issues_tokens():
    flags = dict(word.partition("=")[::2] for word in arguments("apiserver", Files(Path("/s"), NODES[0]))[1:])

    assert "/s/audit/audit.log" == flags["--audit-log-path"]
    assert {"--service-account-issuer", "--service-account-signing-key-file"} <= set(flags)
    assert "Node,RBAC" == flags["--authorization-mode"]


def test_the_audit_log_holds_no_body_with_a_credential():
    """Bodies are of pods and of our own resources only: Secrets, token requests and reviews never."""
    rules = json.loads(configuration.audit_policy())["rules"]
    bodies = [rule for rule in rules if rule["level"] in ("Request", "RequestResponse")]

    named = {(part["group"], name) for rule in bodies for part in rule["resources"] for name in part["resources"]}
    assert {("", "pods"), ("", "pods/status"), ("airlock.dev", "*")} == named
    assert {"level": "Metadata"} == rules[-1]


@pytest.mark.parametrize("may", [True, False])
def test_without_the_capability_the_oom_score_stays_where_it_is(may):
    text = configuration.containerd(snapshotter="overlayfs", may_lower_oom_score=may)

    runtime = tomllib.loads(text)["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["restrict_oom_score_adj"] is not may


def test_a_kubelet_runs_on_either_version_of_control_groups_and_with_swap():
    config = json.loads(configuration.kubelet(NODES[1], Path("/p"), Path("/f"), "/airlock-test/airlock-2"))

    assert (
        False,
        False,
        "/airlock-test/airlock-2",
    ) == (config["failCgroupV1"], config["failSwapOn"], config["cgroupRoot"])
    assert "/p/kubelet-airlock-2-serving.crt" == config["tlsCertFile"]


def test_a_nodes_pods_get_addresses_of_its_own_network():
    chain = json.loads(configuration.pod_network(NODES[1]))

    assert [[{"subnet": "10.244.2.0/24"}]] == chain["plugins"][0]["ipam"]["ranges"]


def test_control_groups_of_both_versions_are_found():
    mounts = (
        "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )

    assert {Path("/sys/fs/cgroup/pids"): "cgroup", Path("/sys/fs/cgroup/unified"): "cgroup2"} == cgroups.hierarchies(
        mounts
    )
