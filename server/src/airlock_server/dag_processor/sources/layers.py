"""
Unpacks the layers of an image into a folder, one over the other: only what lies below the folder that is asked for.

A layer is somebody's archive. No name in it leads out of the folder. What is not a file, a folder or a link that stays
inside is left out. A file ``.wh.NAME`` removes what the layers below have there, as the image format says.
"""

import logging
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Final

_log = logging.getLogger("airlock.dag_processor")

_ARCHIVES: Final = {".tar": "r:", "+gzip": "r:gz", ".gzip": "r:gz", "+gz": "r:gz"}
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_CHUNK_BYTES: Final = 1024 * 1024
_MAX_ENTRIES: Final = 200_000


class BadLayer(Exception):
    """A layer cannot be unpacked. The text says why."""


class Budget:
    """How much may still be written."""

    def __init__(self, bytes_left: int) -> None:
        self.bytes_left = bytes_left
        self.entries_left = _MAX_ENTRIES

    def take(self, size: int) -> None:
        """Counts an entry of so many bytes. Raises BadLayer for one too many."""
        self.bytes_left -= size
        self.entries_left -= 1
        if self.bytes_left < 0 or self.entries_left < 0:
            raise BadLayer("it holds too much for a bundle: 2 GiB in 200,000 files are the limit; take a smaller image")


def is_archive(media_type: str) -> bool:
    """Tells whether a layer of this kind is an archive that can be unpacked."""
    return _mode(media_type) is not None


def _mode(media_type: str) -> str | None:
    return next((mode for ending, mode in _ARCHIVES.items() if media_type.endswith(ending)), None)


def unpack(blob: Path, media_type: str, subdir: str, tree: Path, budget: Budget) -> bool:
    """Puts a layer's entries below ``subdir`` into ``tree``; tells whether there were some. Raises BadLayer."""
    root = PurePosixPath("/", subdir)
    try:
        with tarfile.open(blob, _mode(media_type)) as archive:  # type: ignore[call-overload]  # one of its modes
            entries = [(path, entry) for entry in archive if (path := _path(entry.name)) is not None]
            # What a layer removes is what the layers below have, whatever the order in it.
            for path, _ in entries:
                _remove(path, root, tree)
            there = [_put(archive, path, entry, root, tree, budget) for path, entry in entries]
            return any(there)
    except (tarfile.TarError, EOFError, OSError) as e:
        raise BadLayer(f"a layer cannot be unpacked: {e}") from e


def place(blob: Path, title: str, subdir: str, tree: Path, budget: Budget) -> bool:
    """Puts a layer that is one file where its title says, if that is below ``subdir``. Raises BadLayer."""
    path, root = _path(title), PurePosixPath("/", subdir)
    if path is None or not path.is_relative_to(root):
        return False
    budget.take(blob.stat().st_size)
    target = _target(path, root, tree)
    with blob.open("rb") as source:
        _write(source, target, 0)
    return True


def _path(name: str) -> PurePosixPath | None:
    """Returns the place of an entry in the image; None for one that leads out of it."""
    path = PurePosixPath("/", name.lstrip("/"))
    return None if ".." in path.parts or "\0" in name else path


def _remove(path: PurePosixPath, root: PurePosixPath, tree: Path) -> None:
    if not path.name.startswith(_WHITEOUT):
        return
    gone = path.parent if path.name == _OPAQUE else path.with_name(path.name.removeprefix(_WHITEOUT))
    if root.is_relative_to(gone):
        for each in tree.iterdir():
            _delete(each)
    elif gone.is_relative_to(root):
        target = _target(gone, root, tree)
        if path.name == _OPAQUE and target.is_dir() and not target.is_symlink():
            for each in target.iterdir():
                _delete(each)
        else:
            _delete(target)


def _put(
    archive: tarfile.TarFile,
    path: PurePosixPath,
    entry: tarfile.TarInfo,
    root: PurePosixPath,
    tree: Path,
    budget: Budget,
) -> bool:
    if not path.is_relative_to(root) or path.name.startswith(_WHITEOUT):
        return False
    budget.take(entry.size if entry.isreg() else 0)
    if path == root:
        return entry.isdir()
    target = _target(path, root, tree)
    if entry.isdir():
        if target.is_symlink() or not target.is_dir():
            _delete(target)
            target.mkdir()
        return True
    if entry.isreg() or entry.islnk():
        # A hard link has the content of a file that came before it.
        source = archive.extractfile(entry)
        assert source is not None  # noqa: S101 - it has content
        _write(source, target, entry.mode)
    elif entry.issym():
        _link(path, entry.linkname, root, target, tree)
    else:
        _log.warning("a bundle's image has what is not a file", extra={"file": str(path)})
    return True


def _target(path: PurePosixPath, root: PurePosixPath, tree: Path) -> Path:
    """Returns the place below the tree, with its folder made. Raises BadLayer where a link leads out of the tree."""
    target = tree / path.relative_to(root)
    above = target.parent
    if not above.resolve().is_relative_to(tree.resolve()):
        raise BadLayer(f"{path} lies behind a link that leads out of the bundle")
    try:
        above.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as e:
        raise BadLayer(f"{path} lies below what is not a folder") from e
    return target


def _write(source: IO[bytes], target: Path, mode: int) -> None:
    _delete(target)
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK_BYTES)
    target.chmod(0o755 if mode & 0o111 else 0o644)


def _link(path: PurePosixPath, to: str, root: PurePosixPath, target: Path, tree: Path) -> None:
    """Makes a link if it stays in the bundle; an absolute one is meant from the image's root."""
    there = os.path.normpath(path.parent / to)
    if not PurePosixPath(there).is_relative_to(root):
        _log.warning("a link of a bundle's image leads out of the bundle", extra={"file": str(path), "to": to})
        return
    _delete(target)
    end = tree / PurePosixPath(there).relative_to(root)
    target.symlink_to(os.path.relpath(end, target.parent))


def _delete(target: Path) -> None:
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
