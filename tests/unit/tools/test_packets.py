"""Endpoints and packet filter rules."""

import pytest

from cluster import packets
from cluster.packets import End


def answering(text):
    asked = []

    def kubectl(*words):
        asked.append(words)
        return text

    return kubectl, asked


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("node/airlock-2", ("get", "node", "airlock-2")),
        ("pod/team/probe", ("get", "pod", "probe", "--namespace=team")),
        ("service/team/web", ("get", "endpointslices", "--namespace=team")),
    ],
)
def test_an_endpoint_is_looked_up(endpoint, words):
    kubectl, asked = answering("10.0.0.2 10.0.0.1 10.0.0.2")

    assert ["10.0.0.1", "10.0.0.2"] == [end.address for end in packets.ends(endpoint, kubectl)]
    assert words == asked[0][: len(words)]


def test_the_api_server_is_its_port_only():
    """Its node has the same address, and so have the kubelet that probes pods and, here, the name server."""

    def kubectl(*words):
        return "6443" if "port" in words[-1] else "198.18.0.2"

    assert [End("198.18.0.2", 6443)] == packets.ends("apiserver", kubectl)
    made = packets.rules([End("10.0.0.1")], packets.ends("apiserver", kubectl))
    assert {("-p", "tcp", "--dport", "6443"), ("-p", "tcp", "--sport", "6443")} == {tuple(rule[5:9]) for rule in made}


def test_an_address_is_taken_as_it_is():
    assert [End("10.0.0.1")] == packets.ends("10.0.0.1", answering("")[0])


@pytest.mark.parametrize("endpoint", ["", "apiserver/x", "node/", "pod/probe", "service/a/", "probe", "10.0.0.1/8"])
def test_what_is_no_endpoint_is_refused_with_the_forms(endpoint):
    with pytest.raises(packets.EndpointError, match="pod/NAMESPACE/NAME"):
        packets.ends(endpoint, answering("10.0.0.1")[0])


def test_a_pod_without_an_address_is_said_so():
    with pytest.raises(packets.EndpointError, match="no address yet"):
        packets.ends("pod/team/pending", answering("")[0])


def test_both_directions_are_dropped_in_every_chain():
    made = packets.rules([End("1.1.1.1")], [End("2.2.2.2"), End("3.3.3.3")])

    ends = {(rule[2], rule[4], rule[0]) for rule in made}
    pairs = [("1.1.1.1", "2.2.2.2"), ("1.1.1.1", "3.3.3.3")]
    assert ends == {(*ends, chain) for a, b in pairs for ends in ((a, b), (b, a)) for chain in packets.CHAINS}


def test_only_our_rules_are_removed():
    saved = (
        "-P INPUT ACCEPT\n-N KUBE-IPTABLES-HINT\n-A INPUT -s 9.9.9.9/32 -j DROP\n"
        f'-A INPUT -s 1.1.1.1/32 -d 2.2.2.2/32 -m comment --comment "{packets.MARK}" -j DROP\n'
    )

    (command,) = packets.removing(saved)
    assert [
        "-D", "INPUT", "-s", "1.1.1.1/32", "-d", "2.2.2.2/32", "-m", "comment", "--comment", packets.MARK, "-j", "DROP",
    ] == command[command.index("-D") :]  # fmt: skip
