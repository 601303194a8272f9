"""
The backend ``file``: a file of variables and a file of connections, each .json, .yaml, .yml or .env, as Airflow's
LocalFilesystemBackend takes them. A file is read anew when it has changed.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airlock_server.secrets.backend import BackendFailed, Variable
from airlock_server.secrets.connection_text import from_map, from_text
from airlock_server.store.connections import Connection


class Files:
    """Looks a name up in the two files. An empty path is a file without entries."""

    name = "file"
    blocks = True
    remembered = False

    def __init__(self, variables: str, connections: str) -> None:
        """Reads both files; raises BackendFailed."""
        self._variables, self._connections = _File(variables), _File(connections)
        self._variables.entries()
        self._connections.entries()

    def variable(self, key: str) -> Variable | None:
        """Returns a variable; a value that is not text is returned as JSON."""
        value = _one(self._variables.entries().get(key))
        if value is None:
            return None
        return Variable(value if isinstance(value, str) else json.dumps(value, default=str))

    def connection(self, conn_id: str) -> Connection | None:
        """Returns a connection, which is a URI, a JSON object as text, or a map."""
        value = _one(self._connections.entries().get(conn_id))
        if value is None:
            return None
        if isinstance(value, Mapping):
            return from_map(conn_id, value)
        return from_text(conn_id, str(value))


class _File:
    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._lock = threading.Lock()
        self._stamp: object = None
        self._entries: Mapping[str, Any] = {}

    def entries(self) -> Mapping[str, Any]:
        """Returns what the file has now; raises BackendFailed."""
        if self._path is None:
            return self._entries
        with self._lock:
            try:
                status = self._path.stat()
                stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                if stamp != self._stamp:
                    self._entries = _parsed(self._path, self._path.read_text())
                    self._stamp = stamp
            except (OSError, UnicodeDecodeError) as e:
                raise BackendFailed(f"{self._path} cannot be read: {getattr(e, 'strerror', 'not UTF-8')}") from None
            return self._entries


def _one(value: Any) -> Any:
    """Returns the entry of a name: a list of one stands for what is in it, as in Airflow."""
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        raise BackendFailed("the file has several values for one name")
    return value[0]


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    readers = {".json": _json, ".yaml": _yaml, ".yml": _yaml, ".env": _env}
    # A file that is called just .env has no suffix.
    suffix = path.suffix or path.name
    if suffix not in readers:
        raise BackendFailed(f"{path}: its name must end in {', '.join(sorted(readers))}")
    entries = readers[suffix](path, text)
    if entries is None:
        return {}
    if not isinstance(entries, Mapping):
        raise BackendFailed(f"{path}: it must be a map of names to values")
    return entries


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as e:
        raise BackendFailed(f"{path}: line {e.lineno} is not JSON") from None
    except RecursionError:
        raise BackendFailed(f"{path}: it is too deep for JSON") from None


def _yaml(path: Path, text: str) -> Any:
    import yaml  # type: ignore[import-untyped]  # imported here: it costs milliseconds, and few have such a file

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as e:
        # The error's own text quotes the line.
        mark = getattr(e, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark is not None else "it"
        raise BackendFailed(f"{path}: {place} is not YAML") from None


def _env(path: Path, text: str) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals or not name.strip():
                raise BackendFailed(f"{path}: line {number} is not NAME=VALUE")
            entries.setdefault(name.strip(), []).append(value.strip())
    return entries
