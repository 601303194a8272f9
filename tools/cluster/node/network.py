"""A bare node's links: the first node's to the machine, every other's to the first."""

from __future__ import annotations

from cluster.commands import CommandError, run
from cluster.node.addresses import FIRST, HOST_LINK, NodeAddress
from cluster.node.holder import enter
from cluster.processes import Recorded


def to_machine(holder: Recorded) -> list[list[str]]:
    """Returns the commands that link the first node to the machine: one interface here."""
    inside = [
        ["ip", "address", "add", f"{FIRST.ip}/30", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
        ["ip", "route", "add", "default", "via", FIRST.gateway],
    ]
    return [
        ["ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)],
        ["ip", "address", "add", f"{FIRST.gateway}/30", "dev", HOST_LINK],
        ["ip", "link", "set", HOST_LINK, "up"],
        *(enter(holder, command) for command in inside),
    ]


def to_first(node: NodeAddress, holder: Recorded, first: Recorded) -> list[list[str]]:
    """Returns the commands that link another node to the first, with a route to each one's pods."""
    there = [
        ["ip", "address", "add", f"{node.ip}/30", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
        ["ip", "route", "add", "default", "via", node.gateway],
    ]
    here = [
        ["ip", "address", "add", f"{node.gateway}/30", "dev", node.name],
        ["ip", "link", "set", node.name, "up"],
        ["ip", "route", "add", node.pods, "via", node.ip],
    ]
    peer = ["type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)]
    return [
        # Only the first node's network is entered here, since the other's process has its id in the machine's /proc.
        [*_network_of(first), "ip", "link", "add", node.name, *peer],
        *(enter(holder, command) for command in there),
        *(enter(first, command) for command in here),
    ]


def link(node: NodeAddress, holder: Recorded, first: Recorded) -> None:
    """Links a node."""
    for command in to_machine(holder) if node == FIRST else to_first(node, holder, first):
        run(command)


def unlink(node: NodeAddress, first: Recorded) -> None:
    """
    Removes a node's link, whose node has ended. Raises CommandError if it stays.

    The kernel removes it only with the node's whole network. That network was seen to outlive the node's last process
    by minutes, most likely for a connection that waited for an answer. Until then a new node could not be linked.
    """
    name = HOST_LINK if node == FIRST else node.name
    there = [] if node == FIRST else _network_of(first)
    run([*there, "ip", "link", "delete", name], check=False)
    if run([*there, "ip", "link", "show", name], check=False).returncode == 0:
        raise CommandError(f"the link {name} cannot be removed")


def _network_of(holder: Recorded) -> list[str]:
    return ["nsenter", f"--target={holder.pid}", "--net", "--"]
