"""
``AIRLOCK_HOME``: the folder with the database and the two keys, readable by its owner only.

In a pod the keys are files of a mounted Secret instead, and a volume belongs to the group of the pod (``fsGroup``). The
group of our image's own user has no other member, so it is treated like the owner.

Keys are made on first use. Two processes that start at once must end with the same key. So a new key is written to a
file of its own and linked to its name. The link fails for the second process, which then reads the first one's key.
"""

import fcntl
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from airlock_server.keys.tokens import KEY_BYTES, MAX_KEYS
from airlock_wire.pod import PLATFORM_UID

#: The files of keys in a home.
JWT_KEY, ENCRYPTION_KEY = "jwt.key", "encryption.key"

_READABLE = 0o077
_WRITABLE = 0o022
_GROUP = 0o070
_GROUP_READABLE = 0o040
_LOCK = "api-server.lock"
_FIX_MOUNTED = "defaultMode 0440 on the Secret's volume, or chmod 440"


class HomeError(Exception):
    """The home cannot be used. The text says what to do about it."""


def settings_folder(environ: Mapping[str, str]) -> Path:
    """Returns the folder that ``AIRLOCK_HOME`` names, by default ``~/.airlock``; it may not exist."""
    folder = environ.get("AIRLOCK_HOME") or "~/.airlock"
    try:
        return Path(folder).expanduser().absolute()
    except RuntimeError as e:
        raise HomeError(f"{folder} cannot be found, because this user has no home folder: set AIRLOCK_HOME") from e


class Home:
    """An existing home folder. Get one from ``Home.open``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, environ: Mapping[str, str]) -> "Home":
        """
        Opens the home that ``AIRLOCK_HOME`` names, by default ``~/.airlock``; makes it, 0700, if it does not exist.
        """
        path = settings_folder(environ)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as e:
            raise HomeError(f"AIRLOCK_HOME {path} cannot be made: {e.strerror}") from e
        status = path.stat()
        if of_others(status.st_mode, status.st_gid, os.geteuid()) & _WRITABLE:
            raise HomeError(
                f"AIRLOCK_HOME {path} can be written by others, who could replace its keys: chmod 700 {path}"
            )
        return cls(path)

    @property
    def database_url(self) -> str:
        """The SQLite database of this home."""
        return f"sqlite:///{self.path / 'airlock.db'}"

    def jwt_key(self) -> bytes:
        """Returns the keys that sign and verify tokens, one after the other, 64 random bytes each."""
        return self._key(JWT_KEY, at_most=MAX_KEYS)

    def encryption_key(self) -> bytes:
        """
        Returns the keys that protect secrets at rest, one after the other, 64 random bytes each.

        Losing them loses every stored secret.
        """
        return self._key(ENCRYPTION_KEY, at_most=MAX_KEYS)

    def lock(self) -> None:
        """
        Makes this process the one API server of the home until it ends; raises HomeError, which names the other.

        SQLite allows several processes, but an API server keeps state between requests that is not shared.
        """
        path = self.path / _LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise HomeError(f"{path} cannot be used: {e.strerror}") from e
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            holder = os.read(descriptor, 500).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise HomeError(
                f"another API server has {self.path}: {holder or 'it does not say which'}; run one replica, and let "
                "the old one end before the new one starts (strategy Recreate)"
            ) from e
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.uname().nodename}, process {os.getpid()}, since {began}\n".encode(), 0)
        # Kept open, because the lock goes with the descriptor.
        self._locked = descriptor

    def _key(self, name: str, at_most: int = 1) -> bytes:
        path = self.path / name
        try:
            if not path.exists():
                _make_once(path)
        except OSError as e:
            raise HomeError(f"{path} cannot be used: {e.strerror}") from e
        return _read(path, at_most)


def read_mounted_key(path: Path, at_most: int = 1) -> bytes:
    """
    Returns the keys in a file that a setting names: a mounted Secret, which its pod's group may read. Raises HomeError.
    """
    return _read(path, at_most, allowed=_GROUP_READABLE, fix=_FIX_MOUNTED)


def of_others(mode: int, gid: int, uid: int) -> int:
    """Returns the permission bits that others than the user have; ``gid`` is the file's group. Pure."""
    mode = stat.S_IMODE(mode)
    return mode & ~_GROUP if gid == uid == PLATFORM_UID else mode


def read_private_file(path: Path) -> bytes:
    """Returns the content of a file that only its owner and its pod's group may read. Raises HomeError."""
    return _content(path, _GROUP_READABLE, _FIX_MOUNTED)


def _content(path: Path, allowed: int, fix: str) -> bytes:
    try:
        status = path.stat()
        if of_others(status.st_mode, status.st_gid, os.geteuid()) & _READABLE & ~allowed:
            raise HomeError(f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}): {fix} {path}")
        return path.read_bytes()
    except OSError as e:
        raise HomeError(f"{path} cannot be used: {e.strerror}") from e


def _read(path: Path, at_most: int, allowed: int = 0, fix: str = "chmod 600") -> bytes:
    key = _content(path, allowed, fix)
    if not key or len(key) % KEY_BYTES or len(key) > at_most * KEY_BYTES:
        size = f"{KEY_BYTES}" if at_most == 1 else f"{KEY_BYTES} for each of at most {at_most} keys"
        raise HomeError(f"{path} holds {len(key)} bytes instead of {size}: restore it from a backup")
    return key


def _make_once(path: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # Another process was first, so its key is used.
    finally:
        Path(draft).unlink()
