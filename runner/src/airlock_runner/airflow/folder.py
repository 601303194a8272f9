"""
The folder that is put into foreign images: which files it has, and how the images of sidecars get it.

    launcher/__main__.py        what `python .../launcher` runs
    launcher/airlock_runner/    the launcher, and Airflow's runner as its child
    launcher/airlock_wire/      what it shares with the sidecar

Standard library of Python 3.10 only: a foreign image has nothing else that can be counted on.
"""

import os
import shutil

import airlock_runner
import airlock_wire

#: The folder's name, in the sidecar's image and below whatever it is copied to.
NAME = "launcher"

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


def copy(parent: str) -> None:
    """Lays the launcher out in ``parent``/launcher, readable for all users. Raises OSError."""
    target = os.path.join(parent, NAME)
    packages = {"airlock_runner": airlock_runner, "airlock_wire": airlock_wire}
    for file in FILES:
        package, _, rest = file.partition("/")
        (folder,) = packages[package].__path__
        to = os.path.join(target, _RENAMED.get(file, file))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copyfile(os.path.join(folder, rest), to)
    _readable_for_all(target)


def _readable_for_all(folder: str) -> None:
    """Makes the folder readable for all: whoever copies or runs it has another user than the build."""
    for path, _, files in os.walk(folder):
        os.chmod(path, 0o755)  # noqa: S103 - as the comment above says
        for file in files:
            os.chmod(os.path.join(path, file), 0o644)
