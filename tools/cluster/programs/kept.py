"""Folders in the user's cache, keyed by the content they were made from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from cluster import places

#: Bumped when what is made from the same sources changes.
FORMAT = "1"
#: How many folders of one name stay: another branch may want an older one.
GENERATIONS = 4


def content_key(files: Iterable[tuple[str, bytes]], *words: str) -> str:
    """16 hex digits over named contents, in any order, and words, in theirs."""
    digest = hashlib.sha256()
    for part in (FORMAT, *words):
        digest.update(f"{len(part)}:{part}".encode())
    for name, content in sorted(files):
        digest.update(f"{len(name)}:{name}{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def contents(folder: Path, *suffixes: str) -> list[tuple[str, bytes]]:
    """Returns every file below a folder (with one of the suffixes, if any is given), named by its path in it."""
    return [
        (str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and (not suffixes or path.suffix in suffixes)
    ]


def kept(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """
    Returns the folder ``<cache>/<name>-<key>``, made when it is not there.

    ``make`` fills a temporary folder beside it, which is renamed when it is whole: what a killed ``make`` leaves is
    never taken for finished. Of the folders of one name the ones used last stay.
    """
    folder = places.cache() / f"{name}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two commands that want the same make it once: the second waits for the first, and finds it.
    with (folder.parent / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            os.utime(folder)
            return folder
        half = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        try:
            half.chmod(0o755)
            make(half)
            os.rename(half, folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        for old in outlived(name, [(path.name, path.stat().st_mtime) for path in folder.parent.glob(f"{name}-*")]):
            shutil.rmtree(folder.parent / old, ignore_errors=True)
    return folder


def outlived(name: str, folders: Iterable[tuple[str, float]]) -> list[str]:
    """Returns the folders of one name that go, of names and times of last use: all but the last `GENERATIONS`."""
    generations = [
        (used, folder) for folder, used in folders if re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{16}}", folder)
    ]
    return [folder for _, folder in sorted(generations, reverse=True)[GENERATIONS:]]
