"""
``AIRLOCK_HOME``: the folder with the database and the two keys, readable by its owner only.

Keys are made on first use. Two processes that start at once must end with the same key, so a new key is
written to a file of its own and linked to its name: the link fails for whoever comes second, who then reads
the first one's.
"""

import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

KEY_BYTES = 64
_GROUP_OR_WORLD = 0o077
_WRITABLE_BY_OTHERS = 0o022


class HomeError(Exception):
    """The home cannot be used as it is. The text says what to do about it."""


class Home:
    """An existing home folder. Get one from ``Home.open``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, environ: Mapping[str, str]) -> "Home":
        """The home that ``AIRLOCK_HOME`` names, ``~/.airlock`` by default, made 0700 where it is missing."""
        path = Path(environ.get("AIRLOCK_HOME") or "~/.airlock").expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as e:
            raise HomeError(f"AIRLOCK_HOME {path} cannot be made: {e.strerror}") from e
        if path.stat().st_mode & _WRITABLE_BY_OTHERS:
            raise HomeError(
                f"AIRLOCK_HOME {path} can be written by others, who could replace its keys: chmod 700 {path}"
            )
        return cls(path)

    @property
    def database_url(self) -> str:
        """The SQLite database of this home."""
        return f"sqlite:///{self.path / 'airlock.db'}"

    def jwt_key(self) -> bytes:
        """64 random bytes that sign tokens."""
        return self._key("jwt.key")

    def encryption_key(self) -> bytes:
        """64 random bytes that protect secrets at rest. Losing them loses every stored secret."""
        return self._key("encryption.key")

    def _key(self, name: str) -> bytes:
        path = self.path / name
        try:
            if not path.exists():
                _make_once(path)
            mode = path.stat().st_mode
            if stat.S_IMODE(mode) & _GROUP_OR_WORLD:
                raise HomeError(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
            key = path.read_bytes()
        except OSError as e:
            raise HomeError(f"{path} cannot be used: {e.strerror}") from e
        if len(key) != KEY_BYTES:
            raise HomeError(f"{path} holds {len(key)} bytes instead of {KEY_BYTES}: restore it from a backup")
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
        pass  # Another process was first; its key is the key.
    finally:
        Path(draft).unlink()
