"""
`down` leaves nothing, and `up` after it is quick.

It ends the cluster that is up, and brings one up again at the end, without what was installed in it. So it runs only
where that was allowed: AIRLOCK_CLUSTER_MAY_END=1.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster import places
from cluster.memory import Remembered
from cluster.node import cgroups
from cluster.node.addresses import HOST_LINK
from cluster.processes import alive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        os.environ.get("AIRLOCK_CLUSTER_MAY_END") != "1", reason="not run: AIRLOCK_CLUSTER_MAY_END is not 1"
    ),
]


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "cluster", *words],
        cwd=places.ROOT / "tools",
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )


def namespaces(kind):
    """Every process's namespace of a kind, by process id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found[int(process.name)] = os.readlink(process / "ns" / kind)
        except OSError:
            continue
    return found


def packet_filter():
    return subprocess.run(["iptables-save"], capture_output=True, text=True, check=True, timeout=30).stdout


def test_down_leaves_nothing_and_up_after_it_is_quick(cluster):
    remembered = Remembered.load()
    if remembered.kind != "bare":
        pytest.skip("not run: kind's own command deletes its containers")
    command("add-node")
    remembered = Remembered.load()
    assert len(remembered.nodes) > 1
    inside = {
        kind: {namespaces(kind)[node.holder.pid] for node in remembered.nodes.values()}
        for kind in ("pid", "net", "mnt")
    }
    # The search finds what is to be gone, while it is there.
    assert all(set(namespaces(kind).values()) & held for kind, held in inside.items())
    assert Path("/sys/class/net", HOST_LINK).exists()
    assert cgroups.left()

    command("down")

    for kind, held in inside.items():
        assert [] == [pid for pid, found in namespaces(kind).items() if found in held]
    assert [] == [part for node in remembered.nodes.values() for part in node.components.values() if alive(part)]
    mounts = Path("/proc/mounts").read_text()
    assert [] == [
        line for line in mounts.splitlines() if "airlock" in line or "kubelet" in line or "containerd" in line
    ]
    assert [] == [link.name for link in Path("/sys/class/net").iterdir() if link.name.startswith("airlock")]
    assert [] == [line for line in packet_filter().splitlines() if "KUBE" in line or "CNI" in line or "airlock" in line]
    assert [] == cgroups.left()
    assert [] == [
        folder for folder in [places.state(), places.data(), *map(Path, remembered.folders)] if folder.exists()
    ]
    # Twice is harmless.
    command("down")

    begun = time.monotonic()
    done = command("up")

    # A deadline that users feel: with everything in the cache, a minute.
    assert time.monotonic() - begun < 60
    assert done.stdout.startswith("export KUBECONFIG=")
