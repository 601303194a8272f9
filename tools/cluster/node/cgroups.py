"""
The control groups of a bare node's pods and of its own programs: made for the kubelet, and removed with the node.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from cluster.commands import CommandError

#: The top of ours, below every hierarchy's root.
TOP = "airlock-test"
#: Below a node's group, beside `kubepods`: where its own programs are, as systemd has them in `system.slice`.
SYSTEM = "system"


def hierarchies(mounts: str) -> dict[Path, str]:
    """Mount points of control groups in the text of `/proc/mounts`, each with its type (`cgroup` or `cgroup2`)."""
    rows = [line.split() for line in mounts.splitlines()]
    return {Path(row[1]): row[2] for row in rows if len(row) > 2 and row[2] in ("cgroup", "cgroup2")}


def _mounted() -> dict[Path, str]:
    return hierarchies(Path("/proc/mounts").read_text())


def make(node: str) -> str:
    """Makes the node's group in every hierarchy and returns its name there, as the kubelet wants it."""
    for mount, kind in _mounted().items():
        parent = mount
        for part in (TOP, node):
            if kind == "cgroup2":
                # A child has only the controllers that its parent hands down.
                controllers = (parent / "cgroup.controllers").read_text().split()
                for controller in controllers:
                    (parent / "cgroup.subtree_control").write_text(f"+{controller}")
            folder = parent / part
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                # A new v1 cpuset is empty, and nothing can run in it.
                if kind == "cgroup" and (folder / name).exists() and not (folder / name).read_text().strip():
                    (folder / name).write_text((parent / name).read_text())
            parent = folder
    return f"/{TOP}/{node}"


def hold(node: str, pid: int) -> None:
    """
    Moves one of the node's own programs into their group; one that has ended is let be.

    They share the processor with the pods then as on other machines, group against group. In the root group each
    thread of theirs counts as much as all pods together: on two busy cores pods hardly got to start, and what was
    measured of them was this node's own fault.
    """
    for mount, kind in _mounted().items():
        group = mount / TOP / node
        if kind == "cgroup2" or (group / "cpu.shares").exists():
            (group / SYSTEM).mkdir(exist_ok=True)
            with contextlib.suppress(ProcessLookupError):
                (group / SYSTEM / "cgroup.procs").write_text(str(pid))


def left() -> list[Path]:
    """Returns every control group of ours that still exists."""
    return [mount / TOP for mount in _mounted() if (mount / TOP).is_dir()]


def remove(node: str | None = None) -> None:
    """Removes a node's groups, or all of ours. A group empties a moment after its last process; 20 s at most."""
    until = time.monotonic() + 20
    tops = [mount / TOP / node if node else mount / TOP for mount in _mounted()]
    while True:
        stuck = [top for top in tops if top.is_dir() and not _removed(top)]
        if not stuck:
            return
        if time.monotonic() > until:
            raise CommandError(f"control groups that do not empty: {', '.join(map(str, stuck))}")
        time.sleep(0.05)


def _removed(top: Path) -> bool:
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
