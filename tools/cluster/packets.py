"""Freezing the traffic between two endpoints: packets vanish, connections stay, and nobody is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

#: How our rules are found again.
MARK = "airlock-test-drop"
#: After the services' addresses were translated, so that a rule sees the real ends; before any filter accepts.
CHAINS = ("INPUT", "FORWARD", "OUTPUT")

#: Runs kubectl with arguments and returns its output.
Kubectl = Callable[..., str]


class EndpointError(ValueError):
    """The text names no endpoint, or one without an address; says which forms there are."""


@dataclass(frozen=True, order=True)
class End:
    """One end of the traffic: an address, and a TCP port where only that one is meant."""

    address: str
    port: int | None = None


def ends(endpoint: str, kubectl: Kubectl) -> list[End]:
    """
    Returns the ends that a word stands for.

    Forms: an IPv4 address; ``apiserver`` (its port only: the kubelet and the name server of its node stay reachable);
    ``node/NAME``; ``pod/NAMESPACE/NAME``; ``service/NAMESPACE/NAME`` (all pods behind it).
    """
    port: int | None = None
    kind, _, rest = endpoint.partition("/")
    namespace, _, name = rest.partition("/")
    if kind == "apiserver" and not rest:
        template = "{.items[*].endpoints[*].addresses[*]}"
        options = ["--namespace=default", "--selector=kubernetes.io/service-name=kubernetes"]
        addresses = kubectl("get", "endpointslices", *options, f"--output=jsonpath={template}")
        port = int(kubectl("get", "endpointslices", *options, "--output=jsonpath={.items[0].ports[0].port}") or 0)
    elif kind == "node" and rest:
        template = '{.status.addresses[?(@.type=="InternalIP")].address}'
        addresses = kubectl("get", "node", rest, f"--output=jsonpath={template}")
    elif kind == "pod" and name:
        addresses = kubectl("get", "pod", name, f"--namespace={namespace}", "--output=jsonpath={.status.podIP}")
    elif kind == "service" and name:
        template = "{.items[*].endpoints[*].addresses[*]}"
        options = [f"--namespace={namespace}", f"--selector=kubernetes.io/service-name={name}"]
        addresses = kubectl("get", "endpointslices", *options, f"--output=jsonpath={template}")
    elif endpoint.count(".") == 3 and not rest:
        addresses = endpoint
    else:
        raise EndpointError(
            f"{endpoint!r} is not an endpoint: write an IPv4 address, apiserver, node/NAME, pod/NAMESPACE/NAME "
            "or service/NAMESPACE/NAME"
        )
    if not addresses.split():
        raise EndpointError(f"{endpoint} has no address yet")
    return [End(address, port) for address in sorted(set(addresses.split()))]


def rules(first: Iterable[End], second: Iterable[End]) -> list[list[str]]:
    """
    Returns the rules (without the command that adds or removes one) for both directions between two groups of ends.
    """
    pairs = [pair for a, b in itertools.product(first, second) for pair in ((a, b), (b, a))]
    return [
        [chain, "-s", source.address, "-d", target.address, *_ports(source, target), *_VERDICT]
        for source, target in dict.fromkeys(pairs)
        for chain in CHAINS
    ]


_VERDICT = ("-m", "comment", "--comment", MARK, "-j", "DROP")


def _ports(source: End, target: End) -> list[str]:
    words = [
        *(["--sport", str(source.port)] if source.port else []),
        *(["--dport", str(target.port)] if target.port else []),
    ]
    return ["-p", "tcp", *words] if words else []


def adding(rule: Sequence[str]) -> list[str]:
    """Returns the command that puts a rule first."""
    return ["iptables", "-w", "10", "-t", "mangle", "-I", *rule]


def removing(saved: str) -> list[list[str]]:
    """Returns the commands that remove every rule of ours in the output of `iptables -t mangle -S`."""
    lines = [line.split() for line in saved.splitlines() if MARK in line and line.startswith("-A ")]
    return [["iptables", "-w", "10", "-t", "mangle", "-D", *(word.strip('"') for word in line[1:])] for line in lines]
