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
    """Returns the folder of what is slow to make and the same for every cluster: binaries, the images' archives."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airlock"


def state() -> Path:
    """
    Returns the folder of the running cluster: its state file, kubeconfig, keys, logs. A reboot removes it.
    """
    if os.geteuid() == 0:
        return Path("/run/airlock-test")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or cache() / "run") / "airlock-test"


def data() -> Path:
    """Returns the folder that a bare node writes: etcd's data, unpacked images, volumes. Only root has one."""
    return Path("/var/lib/airlock-test")


def tools() -> Path:
    """Returns the folder for PATH: kubectl and helm."""
    return state() / "tools"


def kubeconfig() -> Path:
    """Returns the kubeconfig of the cluster's administrator."""
    return state() / "kubeconfig"
