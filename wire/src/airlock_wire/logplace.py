"""
Where a try's log lies: its path below a log store, the place in an object store that the setting ``[logs] store``
names, and the objects that one log becomes. Pure.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

#: The forms that are taken, for messages.
FORMS = (
    "a folder (/path), s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or "
    "abfss://container@account.dfs.core.windows.net/prefix"
)

_AZURE_HOST = re.compile(r"(?P<account>[a-z0-9]{3,24})\.(?:dfs|blob)\.core\.windows\.net")
#: A bucket's or container's name, as loose as the three stores together.
_BUCKET = re.compile(r"[a-z0-9$][a-z0-9._$-]{1,221}")


class Place(NamedTuple):
    """
    A place in an object store: ``kind`` is s3, gs or az; ``prefix`` has no slash at its ends. ``account`` is Azure's,
    empty if the credentials name it.
    """

    kind: str
    bucket: str
    prefix: str
    account: str = ""

    def __str__(self) -> str:
        return f"{self.kind}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def place(store: str) -> Place:
    """Returns the place that an address names; raises ValueError that says what it must be."""
    try:
        parts = urlsplit(store)
        prefix = parts.path.strip("/")
        fine = not (parts.query or parts.fragment or parts.password) and ".." not in prefix.split("/")
    except ValueError:
        fine = False
    if not fine or "://" not in store:
        raise ValueError(f"it must be {FORMS}")
    if parts.scheme in ("wasb", "wasbs"):
        raise ValueError("Airflow's wasb:// does not say which container: write az://container/prefix")
    if parts.scheme in ("abfs", "abfss"):
        host = _AZURE_HOST.fullmatch(parts.hostname or "")
        if host is None or not _BUCKET.fullmatch(parts.username or ""):
            raise ValueError("it must be abfss://container@account.dfs.core.windows.net/prefix")
        return Place("az", str(parts.username), prefix, host["account"])
    if parts.scheme not in ("s3", "gs", "az"):
        raise ValueError(f"{parts.scheme}:// is not known; it must be {FORMS}")
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"it names no bucket; it must be {parts.scheme}://bucket/prefix")
    return Place(parts.scheme, parts.netloc, prefix)


def log_path(dag_id: str, run_id: str, task_id: str, map_index: int, try_number: int, *, namespace: str = "") -> str:
    """
    Returns where a try's log lies below the log store: Airflow's own layout, so that its readers find it.

    Two namespaces may each have a DAG of the same name, so what belongs to a ``namespace`` lies below its folder.
    """
    owner = f"namespace={namespace}/" if namespace else ""
    mapped = f"/map_index={map_index}" if map_index >= 0 else ""
    return f"{owner}dag_id={dag_id}/run_id={run_id}/task_id={task_id}{mapped}/attempt={try_number}.log"


def segment_key(path: str, number: int) -> str:
    """Names the object of a log's segment. Airflow's readers take all whose names begin with ``path``, in order."""
    return path if number == 0 else f"{path}.{number:06d}"


def last_segment(path: str, names: Iterable[str]) -> int | None:
    """Returns the number of the last segment among these objects; None if no object is one."""
    pattern = re.compile(rf"{re.escape(path)}(?:\.(\d{{6}}))?")
    numbers = [int(match[1] or 0) for name in names if (match := pattern.fullmatch(name))]
    return max(numbers, default=None)
