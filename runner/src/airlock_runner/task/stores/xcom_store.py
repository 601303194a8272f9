"""
Keeps large XComs in an object store: what the server keeps is the path. The administrator says where, by variables of
the runner's container.

The store is opened as any path of ``airlock.sdk.io``: by a connection that is granted to the task, or by what the
container's environment has.
"""

import gzip
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from airlock.sdk.exceptions import AirlockException
from airlock_wire.pod import XCOM_STORE, XCOM_STORE_COMPRESSION, XCOM_STORE_THRESHOLD

#: A key of S3 has at most 1,024 bytes.
_MAX_KEY_BYTES: Final = 1000
_GZIP: Final = "gzip"


#: Which XCom it is: DAG, run, task, map index, key.
Place = tuple[str, str, str, int, str]


class XComStore:
    """A store's folder. Values of ``threshold_bytes`` and more as JSON are kept in it, compressed with ``gzip``."""

    def __init__(self, folder: str, threshold_bytes: int, compression: str = "") -> None:
        """``folder`` is a path of ``airlock.sdk.io``, which is imported at the first large value."""
        if compression not in ("", _GZIP):
            raise AirlockException(f"{XCOM_STORE_COMPRESSION} is {compression!r}; it may be {_GZIP!r} or empty")
        self._folder = folder.rstrip("/")
        self._threshold = threshold_bytes
        self._compression = compression

    def keep(self, value: Any, place: Place) -> Any:
        """Returns what is stored as the XCom: the value, or the path of a large one, which it writes first."""
        text = msgspec.json.encode(value)
        if len(text) < self._threshold:
            return value
        suffix = ".json.gz" if self._compression else ".json"
        path = _path(self._folder) / key_of(place, suffix)
        with _refusal(f"the XCom {place[-1]!r} cannot be kept at {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(text, mtime=0) if self._compression else text)
        return str(path)

    def read(self, value: Any) -> Any:
        """Returns the value of an XCom: read from the store if the XCom is a path in it."""
        if not (isinstance(value, str) and value.startswith(f"{self._folder}/")) or ".." in value.split("/"):
            return value
        with _refusal(f"the XCom is kept at {value}, which cannot be read"):
            data = _path(value).read_bytes()
            return msgspec.json.decode(gzip.decompress(data) if value.endswith(".gz") else data)


def of_environment(environ: Mapping[str, str]) -> XComStore | None:
    """Returns the store that the environment names, None without one; raises AirlockException for wrong variables."""
    folder = environ.get(XCOM_STORE)
    if not folder:
        return None
    text = environ.get(XCOM_STORE_THRESHOLD) or "0"
    if not text.isdecimal():
        raise AirlockException(f"{XCOM_STORE_THRESHOLD} is {text!r}; it must be a whole number of bytes")
    return XComStore(folder, int(text), environ.get(XCOM_STORE_COMPRESSION, ""))


def key_of(place: Place, suffix: str) -> str:
    """Returns the path of an XCom below the store's folder. Two XComs never have the same one. Pure."""
    parts = [_segment(str(part)) for part in place if part != -1]
    key = "/".join(parts) + suffix
    if len(key) <= _MAX_KEY_BYTES:
        return key
    import hashlib  # deferred: names are rarely that long

    return f"{parts[0][:200]}/{hashlib.sha256(key.encode()).hexdigest()}{suffix}"


def _segment(text: str) -> str:
    quoted = quote(text, safe="")
    return quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted


def _path(text: str) -> Any:
    from airlock.sdk.io import ObjectStoragePath  # deferred: it costs a tenth of a second, and most XComs are small

    return ObjectStoragePath(text)


class _refusal:  # noqa: N801 - used as a statement
    """Makes what a store raises an AirlockException that says what could not be done."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, AirlockException):
            raise AirlockException(f"{self._what}: {type(error).__name__}: {error}") from error
