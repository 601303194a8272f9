"""
The versions of a bundle on the disk: a folder each, which never changes, so a parse that is under way sees one version.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

#: How many versions of a bundle stay on the disk.
_KEPT_VERSIONS = 10


class CannotFetch(Exception):
    """A bundle could not be fetched. The text says why."""


def folder_of(storage: Path, name: str, fill: Callable[[Path, Path], None]) -> Path:
    """
    Returns the folder of a version. A new one is made by ``fill``, which is given an empty folder for the files and one
    for what it needs on the way: what is there is whole. Old versions are removed. Raises what ``fill`` raises.
    """
    versions = storage / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    folder = versions / name
    if not folder.exists():
        fresh = Path(tempfile.mkdtemp(prefix=".fresh-", dir=versions))
        try:
            tree = fresh / "tree"
            tree.mkdir()
            fill(tree, fresh)
            tree.chmod(0o755)
            tree.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    folder.touch()
    _remove_old(versions, folder)
    return folder


def inside(folder: Path, subdir: str, what: str) -> Path:
    """Returns a folder of a version. Raises CannotFetch if it does not exist, or lies outside; ``what`` names both."""
    root = folder / subdir
    if not root.resolve().is_relative_to(folder.resolve()) or not root.is_dir():
        raise CannotFetch(f"{what} has no folder {subdir!r}")
    return root


def _remove_old(versions: Path, current: Path) -> None:
    folders = [path for path in versions.iterdir() if not path.name.startswith(".") and path != current]
    for path in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_VERSIONS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
