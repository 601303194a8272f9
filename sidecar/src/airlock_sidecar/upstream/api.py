"""
Speaks HTTP to the server. No other module of the sidecar does. It is imported after the socket listens.

It uses http.client and connections that are kept open (docs/adr/0002). A request may cost a quarter of a millisecond,
and a start a tenth of a second. Neither budget has room for a larger client.
"""

import http.client
import select
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from airlock_sidecar import errors, settings
from airlock_sidecar.upstream.calls import Body
from airlock_sidecar.upstream.token import Token

API_VERSION = "2026-06-30"
REFRESHED_TOKEN = "Refreshed-API-Token"  # noqa: S105 - a header's name

#: No answer of the API is larger than this; more would be held in a container of 128 MiB.
MAX_ANSWER_BYTES = 32 * 1024 * 1024

_ERRORS: dict[int, type[errors.ApiError]] = {
    401: errors.Denied,
    403: errors.Denied,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
}


class Answer(NamedTuple):
    """The answer to one request."""

    status: int
    body: bytes
    #: Headers, None if absent: a new token in place of the one that was sent, and how long to wait before the next try.
    refreshed: str | None = None
    retry_after: str | None = None
    #: The header that answers a HEAD, which has no body.
    content_range: str | None = None

    def error(self) -> errors.ApiError:
        """Returns the error that this status stands for; only for a status of 400 and over."""
        try:
            body = detail = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            body, detail = errors.NO_JSON, self.body[:500].decode("utf-8", "replace")
        if isinstance(body, dict):
            detail = body.get("detail", body)
        fallback = errors.ServerBroken if self.status >= 500 else errors.Refused
        return _ERRORS.get(self.status, fallback)(self.status, detail, body)


class Server:
    """
    Speaks to one address, for all threads of this sidecar. A connection serves one request at a time and is then kept
    for the next: a TLS handshake costs more than most requests, and a launch begins in one thread and goes on in
    others.
    """

    def __init__(self, url: str, ca_file: str = "", ca_pem: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the server's address must be http(s)://host[:port]/path, not {url!r}")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = _trust(ca_file, ca_pem) if parts.scheme == "https" else None
        #: Idle connections; never more of them than there were requests at once.
        self._idle: deque[http.client.HTTPConnection] = deque()

    def ask(self, method: str, url: str, headers: dict[str, str], body: Body | None, timeout: float) -> Answer:
        """Sends a request once and returns the answer; raises errors.Unreachable. ``url`` is path and query, quoted."""
        connection = self._connection(timeout)
        sent = False
        try:
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                # The server closed the idle connection. A write would also find that out, but then nobody would know
                # whether the request had arrived.
                connection.close()
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout)
            sent = True
            connection.request(method, url, body, headers)
            response = connection.getresponse()
            data = response.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as e:
            connection.close()
            raise errors.Unreachable(f"{type(e).__name__}: {e}", arrived=sent, late=isinstance(e, TimeoutError)) from e
        if len(data) > MAX_ANSWER_BYTES:
            connection.close()
            raise errors.Unreachable(f"an answer of over {MAX_ANSWER_BYTES} bytes", arrived=True)
        self._idle.append(connection)
        response_headers = response.headers
        return Answer(
            response.status,
            data,
            response_headers.get(REFRESHED_TOKEN),
            response_headers.get("Retry-After"),
            response_headers.get("Content-Range"),
        )

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        """
        Returns a connection for one request: the one that was used last, or a new one, which is not connected yet.
        """
        try:
            idle = self._idle.pop()
        except IndexError:
            if self._tls is None:
                return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        idle.timeout = timeout
        return idle


class Api:
    """
    Calls the Execution API of a server. An answer can bring a new ``token``, which replaces the old one.
    ``runners_version`` returns the version of the API that the runner reads, empty for this sidecar's. Answers are
    passed on unchanged, so they must have that version.
    """

    def __init__(self, server: Server, prefix: str, token: Token, runners_version: Callable[[], str]) -> None:
        self._server = server
        self._prefix = prefix.rstrip("/")
        self._token = token
        self._runners_version = runners_version

    def ask(self, method: str, path: str, query: list[tuple[str, str]], body: Body | None, timeout: float) -> Answer:
        """
        Sends a request once and returns the answer; raises errors.Unreachable. ``path`` is quoted, ``body`` is JSON.
        """
        version = self._runners_version() or API_VERSION
        headers = {"Authorization": self._token.header(), "Airflow-API-Version": version}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._prefix}{path}" + (f"?{urlencode(query)}" if query else "")
        answer = self._server.ask(method, url, headers, body, timeout)
        if answer.refreshed:
            self._token.swap(answer.refreshed)
        return answer


class ExchangeApi:
    """Exchanges a pod's token."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self._path = path

    def ask(self, pod_token: str, timeout: float) -> Answer:
        """Asks once for a task's token; raises errors.Unreachable."""
        headers = {"Authorization": f"Bearer {pod_token}", "Content-Length": "0"}
        return self._server.ask("POST", self._path, headers, None, timeout)


def connect(
    address: settings.ApiSettings, token: Token, runners_version: Callable[[], str]
) -> tuple[Api, ExchangeApi | None]:
    """Both, over the same connections where they are at one address; no exchange where there is no address of it."""
    url, exchange_url = urlsplit(address.url), urlsplit(address.exchange_url)
    server = Server(address.url, address.ca_file, address.ca_pem)
    api = Api(server, url.path, token, runners_version)
    if not address.exchange_url:
        return api, None
    same = (exchange_url.scheme, exchange_url.netloc) == url[:2]
    there = server if same else Server(address.exchange_url, address.ca_file, address.ca_pem)
    return api, ExchangeApi(there, exchange_url.path)


def _trust(ca_file: str, ca_pem: str) -> Any:
    import ssl  # costs 20 ms, and a server on the loopback does not need it

    return ssl.create_default_context(cafile=None if ca_pem else ca_file or None, cadata=ca_pem or None)
