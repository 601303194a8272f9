"""
A bare node's namespaces, and the process that holds them.

The node has its own network, mounts, process ids and host name. Its first process is our pause program: when that is
killed, the kernel kills everything in the node and takes its mounts, interfaces and packet filter rules with it. So
`down` has nothing to search for, and the machine's own /var/lib/kubelet, /run/containerd and the like are untouched:
inside, folders of the node's own lie over them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cluster.commands import run
from cluster.processes import Recorded, start_child

#: The usual paths, each a folder of the node's own below its data.
OWN_FOLDERS = (
    "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/lib/etcd", "/var/log/pods", "/var/log/containers",
    "/etc/cni/net.d",
)  # fmt: skip
#: The same, gone with the node.
OWN_MEMORY = ("/run/containerd", "/run/netns")


def environment(programs: Path) -> dict[str, str]:
    """
    Returns the environment of a node's processes: nothing of the caller's, who has the machine's proxies and settings.
    """
    return {
        "PATH": f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }


def enter(holder: Recorded, argv: Sequence[str | Path]) -> list[str]:
    """Returns the command that runs another inside the node."""
    inside = ["--mount", "--net", "--pid", "--uts", "--ipc"]
    return ["nsenter", f"--target={holder.pid}", *inside, "--", *map(str, argv)]


def start(name: str, pause: Path, data: Path, shared: Path, volumes: str, log: Path) -> tuple[Recorded, list[str]]:
    """
    Starts a node's first process and lays the node's folders over the usual paths.

    Returns it, and the mount points that had to be made on the machine.
    """
    mount_points: list[str] = []
    for folder in (*OWN_FOLDERS, *OWN_MEMORY, volumes):
        mount_points += _made(Path(folder))
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--propagation=private"]
    holder = start_child(["unshare", *namespaces, "--kill-child", pause], log)
    script = [f"hostname {name}", "ip link set lo up", "sysctl -qw net.ipv4.ip_forward=1"]
    for folder in OWN_FOLDERS:
        own = data / folder.strip("/").replace("/", "-")
        own.mkdir(parents=True, exist_ok=True)
        script.append(f"mount --bind {own} {folder}")
    script.append(f"mount --bind {shared} {volumes}")
    script += [f"mount -t tmpfs -o mode=755 tmpfs {folder}" for folder in OWN_MEMORY]
    run(enter(holder, ["sh", "-ec", "\n".join(script)]))
    return holder, mount_points


def _made(folder: Path) -> list[str]:
    """Makes a folder with its parents; returns those that were not there, the deepest first."""
    new = []
    while not folder.exists():
        new.append(str(folder))
        folder = folder.parent
    for path in reversed(new):
        os.mkdir(path)
    return new
