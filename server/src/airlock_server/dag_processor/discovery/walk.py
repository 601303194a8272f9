"""
Walks the folder of a bundle: which files may hold DAGs, and when each was changed last.

Links are followed, each folder once. A file that cannot be read is left to its parse, which says so.
"""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from airlock_server.dag_processor.discovery import ignore
from airlock_server.dag_processor.discovery.ignore import Rule, Syntax

IGNORE_FILE = ".airflowignore"
#: Bytes of a file in which the words are looked for.
_SEARCHED_BYTES = 16 * 1024 * 1024
_MAX_IGNORE_BYTES = 1024 * 1024


class Stamp(NamedTuple):
    """What changes with a file: nanoseconds since the epoch, bytes, and the number of its content on the disk."""

    mtime_ns: int
    size: int
    inode: int


class Walker(msgspec.Struct, kw_only=True):
    """
    Finds the files of one bundle, again and again. ``safe_mode`` leaves out files without the words that a DAG file
    has. A file is looked into only when it has changed. ``problems`` are those of the last walk, a sentence each.
    """

    root: Path
    syntax: Syntax = "glob"
    safe_mode: bool = True
    problems: list[str] = []
    #: The folders of the last walk, links resolved.
    folders: list[str] = []
    _looked_into: dict[str, tuple[Stamp, bool]] = {}

    def find(self) -> dict[str, Stamp]:
        """
        Returns the files that may hold DAGs, relative to the root, with their stamps. Raises OSError if the root cannot
        be listed: then nothing is known of its files.
        """
        os.scandir(self.root).close()
        self.problems, self.folders = [], []
        files: dict[str, Stamp] = {}
        before, self._looked_into = self._looked_into, {}
        for name in self._names("", [], {os.path.realpath(self.root)}):
            try:
                status = (self.root / name).stat()
            except OSError:
                continue
            stamp = Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
            seen = before.get(name)
            holds = (
                seen[1]
                if seen is not None and seen[0] == stamp
                else may_hold_dags(self.root / name, safe=self.safe_mode)
            )
            self._looked_into[name] = (stamp, holds)
            if holds:
                files[name] = stamp
        return files

    def _names(self, folder: str, rules: list[Rule], seen: set[str]) -> Iterator[str]:
        """Yields the files in a folder and below it, without those that are ignored."""
        self.folders.append(os.path.realpath(self.root / folder))
        try:
            entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
        except OSError as e:
            self.problems.append(f"{folder or '.'} cannot be listed: {e.strerror}")
            return
        rules = [*rules, *self._rules(folder)]
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if not _is_utf8(path):
                self.problems.append(f"{path!a} is passed over: its name is not UTF-8")
                continue
            is_folder = _is_folder(entry)
            if entry.name == IGNORE_FILE or ignore.ignored(path, rules, is_folder=is_folder):
                continue
            if not is_folder:
                if _is_file(entry):
                    yield path
                continue
            real = os.path.realpath(entry.path)
            if real in seen:
                self.problems.append(f"{path} is passed over: it links to a folder that was there already")
                continue
            seen.add(real)
            yield from self._names(path, rules, seen)

    def _rules(self, folder: str) -> list[Rule]:
        try:
            with open(self.root / folder / IGNORE_FILE, encoding="utf-8", errors="replace") as file:
                text = file.read(_MAX_IGNORE_BYTES)
        except (FileNotFoundError, IsADirectoryError):
            return []
        except OSError as e:
            self.problems.append(f"{folder}/{IGNORE_FILE} cannot be read: {e.strerror}".removeprefix("/"))
            return []
        rules, problems = ignore.read(text, folder, self.syntax)
        self.problems += (f"{folder}/{IGNORE_FILE}: {problem}".removeprefix("/") for problem in problems)
        return rules


def may_hold_dags(path: Path, *, safe: bool) -> bool:
    """
    Tells whether a file may hold DAGs: a ``.py`` file, in safe mode only one with the words, or a zip archive. The
    modules of an archive are looked at by the runner that imports them.
    """
    try:
        if path.suffix.lower() != ".py":
            return zipfile.is_zipfile(path)
        if not safe:
            return True
        with open(path, "rb") as file:
            text = file.read(_SEARCHED_BYTES).lower()
    except OSError:
        return path.suffix.lower() == ".py"
    return any(word in text for word in (b"airflow", b"airlock")) and any(word in text for word in (b"dag", b"asset"))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
