"""
Reads from a registry of images, by the distribution specification of the Open Container Initiative.

It is our own, because the client for Python (oras 0.2.43) waits without a limit, takes a blob as it comes, and prints.
Every answer here has a time limit and a size, and what has a digest is held to it.
"""

import hashlib
import http.client
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from airlock_server.dag_processor.sources.registry_login import Login, basic, bearer, challenge

_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_MAX_MANIFEST_BYTES: Final = 4 * 1024**2
_MAX_REDIRECTS: Final = 5
_CALL_SECONDS: Final = 60.0
_CHUNK_BYTES: Final = 1024 * 1024


class RegistryError(Exception):
    """A registry did not give what it was asked for. The text says why."""


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest says of one of its parts."""

    digest: str
    size: int = 0
    media_type: str = msgspec.field(name="mediaType", default="")
    annotations: dict[str, Any] | None = None
    platform: dict[str, Any] | None = None


class Registry:
    """One repository of a registry, for at most ``seconds`` in all."""

    def __init__(
        self, host: str, repository: str, environ: Mapping[str, str], *, seconds: float, insecure: bool = False
    ) -> None:
        self._host, self._repository, self._environ = host, repository, environ
        self._scheme = "http" if insecure else "https"
        self._ends = time.monotonic() + seconds
        self._authorization = ""
        self._open: list[http.client.HTTPConnection | http.client.HTTPResponse] = []

    def manifest(self, reference: str) -> tuple[str, bytes]:
        """Returns the digest and the bytes of a manifest, by tag or digest. Raises RegistryError."""
        answer = self._get(f"manifests/{reference}", accept=_MANIFESTS)
        data = answer.read(_MAX_MANIFEST_BYTES + 1)
        if len(data) > _MAX_MANIFEST_BYTES:
            raise RegistryError("its manifest is larger than 4 MiB")
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise RegistryError(f"the registry answered {reference} with other bytes")
        return digest, data

    def download(self, blob: Blob, target: Path, most_bytes: int) -> None:
        """Writes a blob into a file. Raises RegistryError, also for bytes that do not have its digest."""
        if not blob.digest.startswith("sha256:"):
            raise RegistryError(f"a layer has a digest of an unknown kind: {blob.digest[:80]!r}")
        if blob.size > most_bytes:
            raise RegistryError(f"a layer has {blob.size} bytes, more than a bundle may have")
        answer, total, computed = self._get(f"blobs/{blob.digest}"), 0, hashlib.sha256()
        try:
            with target.open("wb") as file:
                while data := answer.read(_CHUNK_BYTES):
                    total += len(data)
                    if total > most_bytes:
                        raise RegistryError("a layer has more bytes than a bundle may have")
                    self._seconds_left()
                    computed.update(data)
                    file.write(data)
        except (TimeoutError, http.client.HTTPException, ConnectionError) as e:
            raise RegistryError(f"a layer did not come whole: {e}") from e
        if f"sha256:{computed.hexdigest()}" != blob.digest:
            raise RegistryError(f"the registry answered {blob.digest} with other bytes")

    def close(self) -> None:
        """Ends the connections."""
        while self._open:
            self._open.pop().close()

    def _get(self, path: str, accept: str = "*/*") -> http.client.HTTPResponse:
        url = f"{self._scheme}://{self._host}/v2/{self._repository}/{path}"
        answer = self._ask(url, {"Accept": accept, "Authorization": self._authorization})
        if answer.status == 401:
            self._authorization = self._answer_to(answer.headers.get("WWW-Authenticate", ""))
            answer = self._ask(url, {"Accept": accept, "Authorization": self._authorization})
        if answer.status != 200:
            raise RegistryError(_refusal(answer.status, self._host))
        return answer

    def _answer_to(self, header: str) -> str:
        """Returns the authorization that a challenge asks for."""
        scheme, parameters = challenge(header)
        login = Login.of(self._host, self._environ)
        if scheme == "basic" and login is not None:
            return basic(login)
        realm = parameters.get("realm", "")
        if scheme != "bearer" or not realm:
            raise RegistryError(_refusal(401, self._host))
        if not realm.startswith("https://") and self._scheme == "https":
            raise RegistryError(f"{self._host} sends its logins to {realm!r}, which is not encrypted")
        query = {name: value for name, value in parameters.items() if name in ("service", "scope")}
        headers = {"Authorization": basic(login) if login is not None else ""}
        answer = self._ask(f"{realm}?{urllib.parse.urlencode(query)}", headers)
        if answer.status != 200:
            raise RegistryError(_refusal(answer.status, self._host))
        token = bearer(answer.read(_MAX_MANIFEST_BYTES))
        if not token:
            raise RegistryError(f"{self._host}: its token server gave no token")
        return f"Bearer {token}"

    def _ask(self, url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Returns the answer to a GET, after redirections: those are for blobs that lie elsewhere."""
        own = urllib.parse.urlsplit(url).netloc
        for _ in range(_MAX_REDIRECTS):
            parts = urllib.parse.urlsplit(url)
            # A login is for the host that it was given for.
            sent = {name: value for name, value in headers.items() if value}
            if parts.netloc != own:
                sent.pop("Authorization", None)
            answer = self._call(parts, sent)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            answer.read(_MAX_MANIFEST_BYTES)
            url = urllib.parse.urljoin(url, answer.headers.get("Location", ""))
            if parts.scheme == "https" and not url.startswith("https://"):
                raise RegistryError(f"{self._host} leads to an address that is not encrypted")
        raise RegistryError(f"{self._host} leads from one address to another without an end")

    def _call(self, parts: urllib.parse.SplitResult, headers: dict[str, str]) -> http.client.HTTPResponse:
        seconds = min(_CALL_SECONDS, self._seconds_left())
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.netloc, timeout=seconds, context=self._trust)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
        # One at a time is read; those before it have been.
        self.close()
        self._open.append(connection)
        try:
            connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as e:
            raise RegistryError(f"{parts.netloc} cannot be reached: {e or type(e).__name__}") from e
        # It may have taken the socket over.
        self._open.append(answer)
        return answer

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The authorities; reading them for each layer would cost more than the call."""
        return ssl.create_default_context(cafile=self._environ.get("SSL_CERT_FILE") or None)

    def _seconds_left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise RegistryError(f"{self._host} took too long")
        return left


def _refusal(status: int, host: str) -> str:
    if status in (401, 403):
        return (
            f"{host} refuses to give it ({status}): put a login for it into the Docker configuration ($DOCKER_CONFIG)"
        )
    if status == 404:
        return f"{host} does not have it (404); an image that needs a login may look the same"
    return f"{host} answered {status}"
