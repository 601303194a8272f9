"""Finds PostgreSQL's programs: installed ones, else Debian's packages, unpacked without being installed."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from cluster.places import cache

OLDEST = 15
_SECONDS = 300


class Missing(Exception):
    """This machine has no PostgreSQL that is new enough. The text says how to get it."""


def installed() -> Path | None:
    """Returns the folder of the newest installed programs; None if none is new enough."""
    found: dict[int, Path] = {}
    for folder in [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.environ.get("PATH", "").split(":"))]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=30)
            if version := re.search(r"\) (\d+)", shown.stdout):
                found.setdefault(int(version[1]), folder)
    newest = max(found, default=0)
    return found[newest] if newest >= OLDEST else None


def unpacked(root: Path) -> Path:
    """
    Downloads what Debian's or Ubuntu's ``postgresql`` needs and is not installed, unpacks it into a folder, and returns
    that of the programs. Nothing is installed, and root is not needed. Raises Missing.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Missing(f"these tests need PostgreSQL {OLDEST} or newer, and this machine has no apt-get: install it")
    packages = cache() / "postgresql"
    (packages / "partial").mkdir(parents=True, exist_ok=True)
    shown = _run(["apt-cache", "depends", "postgresql"])
    if not (name := re.search(r"Depends: (postgresql-(\d+))", shown)) or int(name[2]) < OLDEST:
        raise Missing(f"these tests need PostgreSQL {OLDEST} or newer; apt has {name and name[1]}: apt-get update")
    options = ["Debug::NoLocking=1", f"Dir::Cache::archives={packages}", "Dir::Cache::pkgcache=", "APT::Sandbox::User="]
    command = ["apt-get", *(word for option in options for word in ("-o", option)), "install", "--download-only", "-y"]
    with (packages / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _run([*command, "--reinstall", "--no-install-recommends", name[1]])
    for package in packages.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(root)])
    return root / "usr/lib/postgresql" / name[2] / "bin"


def libraries(root: Path) -> str:
    """Returns the search path of the libraries that were unpacked."""
    return ":".join(str(folder) for folder in (root / "usr/lib").glob("*-linux-gnu*"))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise Missing(f"these tests need PostgreSQL {OLDEST} or newer, and {command[0]} failed: {done.stderr[-500:]}")
    return done.stdout
