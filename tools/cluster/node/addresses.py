"""The numbers of a bare cluster's network. 198.18.0.0/15 is set aside for tests, so no real network has it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

#: The machine's end of the link to the first node, and the interface's name there: the only trace on the machine.
HOST = "198.18.0.1"
HOST_LINK = "airlock-test"
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
#: The API server's own Service, and the name server's.
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DOMAIN = "cluster.local"
API_PORT = 6443
ETCD_PORT = 2379
MOST_NODES = 8


@dataclass(frozen=True)
class NodeAddress:
    """One node's place: links are /30 networks, the first node's to the machine, the others' to the first node."""

    number: int

    @property
    def name(self) -> str:
        return f"airlock-{self.number}"

    @property
    def ip(self) -> str:
        return f"198.18.0.{4 * (self.number - 1) + 2}"

    @property
    def gateway(self) -> str:
        return f"198.18.0.{4 * (self.number - 1) + 1}"

    @property
    def pods(self) -> str:
        return str(list(ipaddress.ip_network(PODS).subnets(new_prefix=24))[self.number])


FIRST = NodeAddress(1)
API_URL = f"https://{FIRST.ip}:{API_PORT}"
