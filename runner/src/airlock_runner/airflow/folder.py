"""
The folder that is put into foreign images: which files it has, the marker, and how a copy of it is made.

    launcher/__main__.py        what `python .../launcher` runs
    launcher/airlock_runner/    the launcher, and Airflow's runner as its child
    launcher/airlock_wire/      what it shares with the sidecar
    launcher/VERSION            the marker

A volume can be there and hold nothing: a cluster that does not know image volumes may leave an empty one in place.
The marker tells the two apart. It is written last, so a folder that has it is whole. Standard library of Python 3.10
only: a copy is made from the folder itself, in an init container.
"""

import os
import shutil
import sys

import airlock_runner
import airlock_wire

#: The folder's name, in its image and below whatever it is copied to.
NAME = "launcher"
#: The marker: a file with the launcher's version and a line end.
MARKER = "VERSION"
#: The launcher's version, which is that of all of Airlock's members.
VERSION = "0.1.0"

#: Where each file comes from, below the folder that holds the packages, where it is not under its own name.
_RENAMED = {"airlock_runner/airflow/__main__.py": "__main__.py"}
FILES = (
    "airlock_runner/__init__.py",
    "airlock_runner/airflow/__init__.py",
    "airlock_runner/airflow/__main__.py",
    "airlock_runner/airflow/bundle.py",
    "airlock_runner/airflow/child.py",
    "airlock_runner/airflow/environment.py",
    "airlock_runner/airflow/fetching.py",
    "airlock_runner/airflow/folder.py",
    "airlock_runner/airflow/masking.py",
    "airlock_runner/launcher.py",
    "airlock_runner/link.py",
    "airlock_runner/memory.py",
    "airlock_runner/orphans.py",
    "airlock_runner/stdio.py",
    "airlock_wire/__init__.py",
    "airlock_wire/process/__init__.py",
    "airlock_wire/process/kernel.py",
    "airlock_wire/pod.py",
)


def version_at(parent: str) -> str:
    """Returns the version of the launcher below ``parent``; empty if no whole launcher is there."""
    try:
        with open(os.path.join(parent, NAME, MARKER), encoding="ascii") as marker:
            return marker.read().strip()
    except (OSError, ValueError):
        return ""


def copy(parent: str) -> bool:
    """
    Copies the launcher to ``parent``/launcher; False if this version was there already. Raises OSError.

    A reader meanwhile, or after a kill half way, sees the old folder, no folder or the new one, and never a part.
    """
    if version_at(parent) == VERSION:
        return False
    target = os.path.join(parent, NAME)
    new = f"{target}.new-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    try:
        for file in FILES:
            to = os.path.join(new, _RENAMED.get(file, file))
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copyfile(_source(file), to)
        with open(os.path.join(new, MARKER), "w", encoding="ascii") as marker:
            marker.write(f"{VERSION}\n")
        _readable_for_all(new)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(new, target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return True


def main(argv: list[str]) -> int:
    """Runs ``copy PARENT`` or ``check PARENT``; returns 0, or 1 with a line on stderr that says what to do."""
    command, parent = argv
    if command == "check":
        version = version_at(parent)
        if version == VERSION:
            return 0
        there = f"has version {version}" if version else "has no launcher (a volume that this cluster left empty?)"
        print(f"airlock-launcher: {parent} {there}; {VERSION} is needed", file=sys.stderr)  # noqa: T201 - the container's log
        return 1
    try:
        copied = copy(parent)
    except OSError as e:
        advice = "mount a volume there that this container may write to"
        print(f"airlock-launcher: nothing copied to {parent}: {e}; {advice}", file=sys.stderr)  # noqa: T201 - the same
        return 1
    print(f"airlock-launcher: {VERSION} {'copied to' if copied else 'is already in'} {parent}")  # noqa: T201 - the same
    return 0


def _source(file: str) -> str:
    """Tells where a file is: among installed packages, or in a folder that is itself a copy."""
    package, _, rest = file.partition("/")
    (folder,) = {"airlock_runner": airlock_runner, "airlock_wire": airlock_wire}[package].__path__
    path = os.path.join(folder, rest)
    return path if os.path.exists(path) else os.path.join(os.path.dirname(folder), _RENAMED[file])


def _readable_for_all(folder: str) -> None:
    """Makes the folder readable for all: user code's container has another user than the one that copies."""
    for path, _, files in os.walk(folder):
        os.chmod(path, 0o755)  # noqa: S103 - as the comment above says
        for file in files:
            os.chmod(os.path.join(path, file), 0o644)
