"""
Copies a SQLite database while a server uses it, and puts a copy back.

A backup is one file, and one moment of the database. To put one back, it is laid beside the database. The next process
that opens the database alone takes it over, and keeps what was there before. So nothing is replaced under a server, and
one that dies over it begins again.
"""

import contextlib
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from airlock_server.store.errors import NotABackup, Unavailable

log = logging.getLogger("airlock.store")

#: What is added to the database's name for the file that is to be put back, and for what was there before.
STAGED, BEFORE = ".restore", ".before-restore"
_TIMEOUT_SECONDS = 30.0
#: How long the process that opens the database tries to have it alone.
_ALONE_SECONDS = 0.2


def write(database: Path, target: Path) -> int:
    """
    Copies the database into a new file that only its owner can read; returns its bytes. Raises Unavailable. A file of
    that name is replaced, once the copy is whole.
    """
    with _private_beside(target) as draft:
        with _opened(database, read_only=True) as source, _opened(draft) as copy:
            _copy(source, copy)
            # A copy of a database with a write-ahead log needs that of a server; a backup is one file.
            copy.execute("PRAGMA journal_mode = DELETE")
        draft.replace(target)
    return target.stat().st_size


def stage(database: Path, data: Path) -> Path:
    """
    Lays a backup beside the database, to be put back by the next process that opens it alone; returns that file. Raises
    NotABackup for a file that is not one, and Unavailable.
    """
    check(data)
    staged = database.with_name(database.name + STAGED)
    with _private_beside(staged) as draft:
        with _opened(data, read_only=True) as source, _opened(draft) as copy:
            _copy(source, copy)
        draft.replace(staged)
    return staged


def put_back(database: Path) -> bool:
    """
    Puts a staged backup back, if there is one and nobody else has the database open; tells whether it did. Raises
    Unavailable if it cannot.
    """
    staged = database.with_name(database.name + STAGED)
    if not staged.exists():
        return False
    with _opened(database, seconds=_ALONE_SECONDS) as target:
        try:
            target.execute("PRAGMA locking_mode = EXCLUSIVE")
            target.execute("BEGIN EXCLUSIVE")
            target.execute("COMMIT")
        except sqlite3.OperationalError:
            log.warning("a backup waits to be put back: another process has the database open")
            return False
        write_before = database.with_name(database.name + BEFORE)
        with _private_beside(write_before) as draft:
            with _opened(draft) as copy:
                _copy(target, copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            draft.replace(write_before)
        with _opened(staged, read_only=True) as source:
            _copy(source, target)
    staged.unlink()
    log.warning("a backup was put back", extra={"before": str(write_before)})
    return True


def check(data: Path) -> None:
    """Raises NotABackup unless the file is a whole database of Airlock's."""
    try:
        with contextlib.closing(sqlite3.connect(f"{data.absolute().as_uri()}?mode=ro", uri=True)) as source:
            tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "alembic_version" not in tables or "task_instance" not in tables:
                raise NotABackup(f"{data} is a database, and not one of Airlock")
            [(verdict,)] = source.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.DatabaseError as e:
        raise NotABackup(f"{data} cannot be read as a backup: {e}") from e
    if verdict != "ok":
        raise NotABackup(f"{data} is damaged: {verdict}")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    try:
        # In one step: a copy in pieces begins anew whenever the server writes in between.
        source.backup(target, pages=-1)
    except sqlite3.Error as e:
        raise Unavailable(f"the database could not be copied: {e}") from e


@contextlib.contextmanager
def _opened(path: Path, *, read_only: bool = False, seconds: float = _TIMEOUT_SECONDS) -> Iterator[sqlite3.Connection]:
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=seconds)
    except sqlite3.Error as e:
        raise Unavailable(f"{path} cannot be opened: {e}") from e
    # Transactions are begun here by hand.
    connection.isolation_level = None
    with contextlib.closing(connection):
        yield connection


@contextlib.contextmanager
def _private_beside(target: Path) -> Iterator[Path]:
    """Yields an empty file that only its owner can read, in the folder of another; removes it if it is still there."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as e:
        raise Unavailable(f"{target.parent} takes no file: {e.strerror}") from e
    os.close(number)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
