"""The Debian packages that a bare node and the images' builds need."""

from __future__ import annotations

import os
import shutil

from cluster.commands import CommandError, run_slowly
from cluster.programs.golang import log

#: A program (or a file) that shows that the package is there.
NODE_PACKAGES = {
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
IMAGE_PACKAGES = {
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}


def missing(witnesses: dict[str, str]) -> list[str]:
    """Returns the packages whose program is missing."""
    system = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return sorted(
        package
        for witness, package in witnesses.items()
        if not (os.path.exists(witness) if witness.startswith("/") else shutil.which(witness, path=system))
    )


def install(witnesses: dict[str, str]) -> None:
    """Installs what is missing. Raises CommandError, naming the packages, where that cannot be done."""
    packages = missing(witnesses)
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CommandError(f"these Debian packages are missing, and only root can install them: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run_slowly(["apt-get", "update", "-q"], "apt-get update", timeout=300, log=log("apt"), env=quiet)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    run_slowly(command, f"installing {' '.join(packages)}", timeout=900, log=log("apt"), env=quiet)
    if still := missing(witnesses):
        raise CommandError(f"apt-get installed {packages}, and these are still missing: {still}")
