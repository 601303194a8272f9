"""
Speaks to an object store; no other module knows obstore. If a store is configured, the shipper's thread imports it.

Credentials are the sidecar's own. They come from files, each with the name of its environment variable; else from the
environment and what it points to (web identity, workload identity); else from the machine's metadata service.
"""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

# By default obstore makes a thread for each processor of the node; a shipper has one request at a time.
os.environ.setdefault("TOKIO_WORKER_THREADS", "1")

import obstore
from obstore import exceptions
from obstore.store import AzureStore, GCSStore, S3Store

from airlock_sidecar.logs.shipping.errors import LogStoreError, StoreAway, StoreChanged, StoreRefused
from airlock_sidecar.settings import Logs
from airlock_wire.logplace import Place

_CONNECT_SECONDS = "5s"
_REQUEST_SECONDS = "20s"
_ATTRIBUTES = {"Content-Type": "text/plain; charset=utf-8"}
_STORES = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_ENDPOINT = {"s3": "endpoint", "gs": "base_url", "az": "endpoint"}
#: In the error of a library that found no credentials and asked the metadata service last.
_METADATA = ("169.254.169.254", "metadata.google.internal", "169.254.170.2")


class Version(NamedTuple):
    """The version of an object, which a store compares before it replaces the object."""

    e_tag: str | None
    number: str | None


class Objects:
    """One place in an object store. Every method raises a LogStoreError, within some 25 s."""

    def __init__(self, place: Place, settings: Logs) -> None:
        config: dict[str, Any] = _files(settings.credentials_dir)
        client: dict[str, Any] = {"timeout": _REQUEST_SECONDS, "connect_timeout": _CONNECT_SECONDS}
        if settings.endpoint:
            config[_ENDPOINT[place.kind]] = settings.endpoint
            client["allow_http"] = settings.endpoint.startswith("http://")
        if settings.region:
            config["region"] = settings.region
        if place.account:
            config["account_name"] = place.account
        try:
            if settings.ca_file:
                client["root_certificate"] = Path(settings.ca_file).read_bytes()
            kind: Any = _STORES[place.kind]
            self._store = kind(
                place.bucket,
                prefix=place.prefix or None,
                config=config,
                client_options=client,
                # Tries are the shipper's: it knows how long it may take, and what may have arrived.
                retry_config={"max_retries": 0},
            )
        except (exceptions.BaseError, ValueError, OSError) as e:
            raise StoreRefused(words(str(e))) from e

    def names(self, folder: str) -> dict[str, int]:
        """Returns the objects directly below a folder, and their sizes in bytes."""
        try:
            objects = obstore.list_with_delimiter(self._store, folder)["objects"]
        except (exceptions.BaseError, FileNotFoundError) as e:
            raise _failure(e) from e
        return {each["path"]: each["size"] for each in objects}

    def read(self, key: str) -> tuple[bytes, Version | None]:
        """Returns an object's content and version; empty bytes and None if the object does not exist."""
        try:
            reply = obstore.get(self._store, key)
            return bytes(reply.bytes()), Version(reply.meta["e_tag"], reply.meta["version"])
        except FileNotFoundError:
            return b"", None
        except exceptions.BaseError as e:
            raise _failure(e) from e

    def write(self, key: str, body: bytes, over: Version | None) -> Version:
        """Replaces this version of an object, or makes a new object; raises StoreChanged for any other version."""
        mode: Any = "create"
        if over is not None:
            mode = {name: each for name, each in (("e_tag", over.e_tag), ("version", over.number)) if each is not None}
        try:
            reply = obstore.put(self._store, key, body, mode=mode, attributes=_ATTRIBUTES, use_multipart=False)
        except (exceptions.PreconditionError, exceptions.AlreadyExistsError) as e:
            raise StoreChanged(words(str(e))) from e
        except (exceptions.BaseError, FileNotFoundError) as e:
            raise _failure(e) from e
        return Version(reply["e_tag"], reply["version"])


def _files(folder: str) -> dict[str, Any]:
    """Reads credentials from a folder. Entries of a mounted Secret that begin with a dot are the kubelet's."""
    if not folder:
        return {}
    try:
        files = [file for file in sorted(Path(folder).iterdir()) if not file.name.startswith(".") and file.is_file()]
        return {file.name.lower(): file.read_text().strip() for file in files}
    except (OSError, UnicodeDecodeError) as e:
        raise StoreRefused(f"its credentials cannot be read: {e}") from e


def _failure(error: Exception) -> LogStoreError:
    text = str(error)
    refusing = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, exceptions.NotSupportedError)
    refused = isinstance(error, (*refusing, FileNotFoundError)) or re.search(r"status code: 4(?!08|29)\d\d", text)
    return (StoreRefused if refused else StoreAway)(words(text))


def words(text: str) -> str:
    """
    Returns a library's error in a few words: the status and the store's own code for it, where there are any. Addresses
    lose their query, which may be a signature.
    """
    if any(host in text for host in _METADATA):
        return "no credentials are set, and this machine's metadata service gives none"
    status = re.search(r"status code: (\d{3} [A-Z][A-Za-z ]*)", text)
    if status:
        code = re.search(r"<Code>([\w.-]{1,80})</Code>", text)
        return status[1].strip() + (f", {code[1]}" if code else "")
    match = re.search(r"https?://([^/\s]+)\S* in \S+ - HTTP error", text)
    if match:
        return f"{match[1]} could not be reached"
    first = re.sub(r"\?\S*", "", text.partition("\n")[0])
    return first[:200]
