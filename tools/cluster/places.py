"""Where a test cluster keeps its files: nothing of it in the repository."""

from __future__ import annotations

import os
from pathlib import Path

#: The repository.
ROOT = Path(__file__).resolve().parents[2]
#: What is built from the Go module proxy.
BUILDS = ROOT / "tools" / "cluster" / "builds"
#: What every cluster gets applied once it answers.
MANIFESTS = ROOT / "tools" / "cluster" / "manifests"


def cache() -> Path:
    """What is slow to make and the same for every cluster: binaries, the images' archives."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airlock"


def state() -> Path:
    """The running cluster: its state file, kubeconfig, keys, logs. One cluster a machine, and gone with a reboot."""
    if os.geteuid() == 0:
        return Path("/run/airlock-test")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or cache() / "run") / "airlock-test"


def data() -> Path:
    """What a bare node writes: etcd's data, unpacked images, volumes. Only root has one."""
    return Path("/var/lib/airlock-test")


def tools() -> Path:
    """The folder for PATH: kubectl and helm."""
    return state() / "tools"


def kubeconfig() -> Path:
    """Who its reader is: the cluster's administrator."""
    return state() / "kubeconfig"
