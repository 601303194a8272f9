"""
Calls the Kubernetes API. No other module of the server speaks HTTP to it (docs/adr/0010).

It uses http.client, with one kept-open connection a thread. It does not retry: the caller knows what a repetition
means.
"""

import http.client
import select
import ssl
import threading
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from airlock_server.kube.address import ApiAddress
from airlock_server.kube.errors import ApiError, Conflict, Forbidden, Gone, NotFound, Unreachable

T = TypeVar("T")

#: No answer is larger: a page of 500 TaskRuns is a few megabytes.
MAX_ANSWER_BYTES = 32 * 1024 * 1024

_ERRORS: dict[int, type[ApiError]] = {403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone}


class _Status(msgspec.Struct, frozen=True):
    message: str = ""


class Client:
    """One Kubernetes API, for all threads of this process."""

    def __init__(self, where: ApiAddress) -> None:
        parts = urlsplit(where.url)
        self._host, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._where = where
        self._tls = parts.scheme == "https"
        self._local = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Closes every thread's connection. Call it when no thread calls any more."""
        for connection in self._opened:
            connection.close()

    def get(self, path: str, kind: type[T], query: dict[str, str] | None = None) -> T:
        """Sends a GET and decodes the answer; raises a cluster.errors.ClusterError."""
        return self._decoded(self._call("GET", path, query, None), kind)

    def post(self, path: str, body: Any, kind: type[T]) -> T:
        """Sends a JSON body by POST and decodes the answer; raises as ``get``."""
        return self._decoded(self._call("POST", path, None, msgspec.json.encode(body)), kind)

    def put(self, path: str, body: Any, kind: type[T]) -> T:
        """Sends a JSON body by PUT and decodes the answer; raises as ``get``."""
        return self._decoded(self._call("PUT", path, None, msgspec.json.encode(body)), kind)

    def _call(self, method: str, path: str, query: dict[str, str] | None, body: bytes | None) -> bytes:
        try:
            token = self._where.token_file.read_text().strip()
        except OSError as e:
            raise Unreachable(f"the token for Kubernetes cannot be read: {e.strerror}: {self._where.token_file}") from e
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{path}?{urlencode(query)}" if query else path
        connection = self._connection()
        try:
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                # The API server closed the idle connection. After a write nobody would know whether the call arrived.
                connection.close()
            connection.request(method, url, body, headers)
            response = connection.getresponse()
            data = response.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as e:
            connection.close()
            raise Unreachable(f"Kubernetes does not answer: {type(e).__name__}: {e}") from e
        if len(data) > MAX_ANSWER_BYTES:
            connection.close()
            raise Unreachable(f"Kubernetes answered with over {MAX_ANSWER_BYTES} bytes")
        if response.status >= 400:
            raise _error(response.status, method, path, data)
        return data

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            seconds = self._where.timeout_seconds
            if self._tls:
                connection = http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=self._trust())
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self._where.ca_file))
        except (OSError, ssl.SSLError) as e:
            raise Unreachable(f"the CA of Kubernetes cannot be read: {e}: {self._where.ca_file}") from e

    @staticmethod
    def _decoded(data: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
            raise Unreachable(f"Kubernetes answered what is not a {kind}: {e}") from e


def path(*parts: str) -> str:
    """Returns the path of these parts, each quoted."""
    return "/" + "/".join(quote(part, safe=".") for part in parts)


def _error(status: int, method: str, where: str, data: bytes) -> ApiError:
    try:
        message = msgspec.json.decode(data, type=_Status).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message = ""
    return _ERRORS.get(status, ApiError)(status, f"{method} {where}: {message or 'no reason given'}")
