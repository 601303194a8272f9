"""What place in an object store the setting ``[logs] store`` names. Pure."""

import re
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
    Where in which object store: ``kind`` is s3, gs or az; ``prefix`` has no slash at its ends. ``account`` is Azure's,
    empty where its credentials name it.
    """

    kind: str
    bucket: str
    prefix: str
    account: str = ""

    def __str__(self) -> str:
        return f"{self.kind}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def place(store: str) -> Place:
    """The place that an address names; raises ValueError that says what it must be."""
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
