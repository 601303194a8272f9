"""
A registry of images over HTTP, by the distribution specification: what it is given to serve, to whom it is to be served,
and what it was asked.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD, TOKEN = "puller", "registry-password-42", "registry-token-42"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def layer(files: dict[str, Any], **entries: Any) -> bytes:
    """An archive: texts by name; a TarInfo stands for what is not a plain file, None for a folder."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, what in files.items():
            entry = what if isinstance(what, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.name = name
            if what is None:
                entry.type = tarfile.DIRTYPE
            data = what.encode() if isinstance(what, str) else b""
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(archive.getvalue())


def entry(kind: bytes, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """What is not a plain file: a link, a device, or a file of a mode."""
    made = tarfile.TarInfo()
    made.type, made.linkname, made.mode = kind, target, mode
    return made


class RegistryServer:
    """``login`` is the scheme that it asks for: None, ``basic``, ``bearer``, or ``anonymous``, a token for everybody."""

    def __init__(self, login: str | None = None, *, context: Any = None, elsewhere: bool = False) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.login, self.elsewhere, self.hangs = login, elsewhere, threading.Event()
        self.waits = False
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self._http = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": self}))
        self._http.daemon_threads = True
        if context is not None:
            # The handshake belongs to the thread of the connection: a client that ends it hurts no other.
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def host(self) -> str:
        return f"localhost:{self._http.server_port}"

    def close(self) -> None:
        self.hangs.set()
        self._http.shutdown()
        self._http.server_close()

    def push(
        self, *layers: bytes, tag: str = "main", kind: str = LAYER, annotations: dict[str, str] | None = None
    ) -> str:
        """Keeps an image of these layers under a tag; returns its digest."""
        parts = [self._blob(data, kind, annotations) for data in layers]
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self._blob(b"{}", "config", None), "layers": parts}
        return self._manifest(body, MANIFEST, tag)

    def push_index(self, manifests: dict[str, str], tag: str = "main") -> str:
        """Keeps an index of images, by their digests and the systems that they are for."""
        listed = [
            {"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": {"os": system, "architecture": "any"}}
            for digest, system in manifests.items()
        ]
        return self._manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}, INDEX, tag)

    def _blob(self, data: bytes, kind: str, annotations: dict[str, str] | None) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data), "annotations": annotations or {}}

    def _manifest(self, body: dict[str, Any], kind: str, tag: str) -> str:
        data = json.dumps(body).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.manifests[tag] = self.manifests[digest] = (kind, data)
        return digest


class _Server(ThreadingHTTPServer):
    """It says nothing of clients that go away."""

    def handle_error(self, *_: Any) -> None:
        """Says nothing."""


class _Handler(BaseHTTPRequestHandler):
    registry: RegistryServer

    def do_GET(self) -> None:
        registry, path, given = self.registry, urlsplit(self.path), self.headers.get("Authorization")
        registry.asked.append((self.path, given))
        if registry.waits:
            registry.hangs.wait(60)
        password = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        if path.path == "/token":
            scope = parse_qs(path.query).get("scope")
            right = scope == ["repository:team/dags:pull"] and given in (
                password,
                None if registry.login == "anonymous" else password,
            )
            self._answer(200 if right else 401, json.dumps({"token": TOKEN}).encode() if right else b"{}")
        elif path.path.startswith("/elsewhere/"):
            self._answer(200, registry.blobs[path.path.rpartition("/")[2]])
        elif registry.login is not None and given != (password if registry.login == "basic" else f"Bearer {TOKEN}"):
            realm = f"http://{registry.host}/token"
            wanted = f'Bearer realm="{realm}",service="here",scope="repository:team/dags:pull"'
            self._answer(
                401, b"{}", {"WWW-Authenticate": 'Basic realm="here"' if registry.login == "basic" else wanted}
            )
        else:
            self._serve(path.path.removeprefix("/v2/team/dags/"))

    def _serve(self, path: str) -> None:
        kind, _, name = path.partition("/")
        registry = self.registry
        if kind == "manifests" and name in registry.manifests:
            media_type, data = registry.manifests[name]
            self._answer(200, data, {"Content-Type": media_type})
        elif kind == "blobs" and name in registry.blobs:
            if registry.elsewhere:
                # Another host as far as a client can tell.
                place = f"http://127.0.0.1:{registry.host.rpartition(':')[2]}/elsewhere/{name}"
                self._answer(307, b"", {"Location": place})
            else:
                self._answer(200, registry.blobs[name])
        else:
            self._answer(404, b"{}")

    def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""
