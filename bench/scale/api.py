"""A client of the API server that costs as little as can be: one kept connection a thread, and JSON."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.servers import BenchError

Json = dict[str, Any]
_SECONDS = 60.0


class Api:
    """The API server of ``KUBECONFIG``, as its user. A failed call raises BenchError, but for the codes in ``may``."""

    def __init__(self) -> None:
        import yaml

        path = os.environ.get("KUBECONFIG")
        if not path:
            raise BenchError("it needs a cluster: type `make up`, and the line that it prints")
        self.config: Json = yaml.safe_load(Path(path).read_text())
        cluster, user = self.config["clusters"][0]["cluster"], self.config["users"][0]["user"]
        self.server: str = cluster["server"]
        self._context = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority").decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(_pem(user, "client-certificate") + b"\n" + _pem(user, "client-key"))
            pair.flush()
            self._context.load_cert_chain(pair.name)
        self._local = threading.local()

    def call(self, method: str, path: str, body: Json | None = None, *, may: tuple[int, ...] = ()) -> Json:
        """Returns the answer's JSON."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body)
        for again in (True, False):
            connection = self._connection()
            try:
                connection.request(method, path, data, {"Content-Type": kind, "Accept": "application/json"})
                response = connection.getresponse()
                text = response.read()
                break
            except (OSError, http.client.HTTPException):
                self._local.connection = None
                if not again:
                    raise
        if response.status >= 300 and response.status not in may:
            raise BenchError(f"{method} {path}: {response.status} {text[:300]!r}")
        answer: Json = json.loads(text)
        return answer

    def watch(self, path: str, seconds: int) -> Iterator[Json]:
        """Yields the events of a watch."""
        connection = self._new(seconds + _SECONDS)
        connection.request("GET", f"{path}{'&' if '?' in path else '?'}watch=1&timeoutSeconds={seconds}")
        response = connection.getresponse()
        while line := response.readline():
            yield json.loads(line)

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._new(_SECONDS)
        return connection

    def _new(self, seconds: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(urlsplit(self.server).netloc, context=self._context, timeout=seconds)


def _pem(config: Json, name: str) -> bytes:
    if f"{name}-data" in config:
        return base64.b64decode(config[f"{name}-data"])
    return Path(config[name]).read_bytes()
