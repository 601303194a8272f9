"""``airlock api-server`` as a container runs it: a process with mounted keys, TLS, and a volume for its home."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from airlock_server.keys import certificates

NAMES = ["localhost"]


class PodServer:
    """Its files and its settings. ``mounted`` is what the Secrets' volumes hold, the authority's certificate included."""

    def __init__(self, folder: Path) -> None:
        self.mounted, self.home = folder / "mounted", folder / "volume" / "home"
        self.mounted.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        now = dt.datetime.now(dt.UTC)
        authority = certificates.make_authority(now)
        server = certificates.sign_server(authority, NAMES, now)
        self.mount("jwt.key", b"j" * 64)
        self.mount("encryption.key", b"e" * 64)
        self.mount("ca.crt", authority.certificate)
        self.mount("tls.crt", server.certificate)
        self.mount("tls.key", server.key)
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "AIRLOCK_HOME": str(self.home),
            "AIRLOCK__API__HOST": "0.0.0.0",
            "AIRLOCK__API__PORT": str(self.port),
            "AIRLOCK__API__TLS_CERT": str(self.mounted / "tls.crt"),
            "AIRLOCK__API__TLS_KEY": str(self.mounted / "tls.key"),
            "AIRLOCK__JWT__KEY_FILE": str(self.mounted / "jwt.key"),
            "AIRLOCK__ENCRYPTION__KEY_FILE": str(self.mounted / "encryption.key"),
            "AIRLOCK__LOGGING__FORMAT": "json",
        }

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/execution"

    @property
    def authority(self) -> str:
        """What a sidecar is told to trust."""
        return (self.mounted / "ca.crt").read_text()

    def mount(self, name: str, data: bytes) -> None:
        """What a kubelet does with a Secret's entry."""
        path = self.mounted / name
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        path.chmod(0o440)

    @contextlib.contextmanager
    def serving(self, python: str | Path = sys.executable, **more: Any) -> Iterator[subprocess.Popen[str]]:
        """The server, until the block ends: the process. Its output is read by who ends it."""
        process = subprocess.Popen(
            [python, "-m", "airlock_server", "api-server"],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def get(self, path: str, seconds: float = 20) -> httpx.Response:
        """GET, once the server is up, by a client that trusts only the authority."""
        trust = ssl.create_default_context(cadata=self.authority)
        ends = time.monotonic() + seconds
        with httpx.Client(verify=trust) as client:
            while True:
                try:
                    return client.get(f"https://localhost:{self.port}{path}")
                except httpx.ConnectError:
                    assert time.monotonic() < ends, "the server did not come up"
                    time.sleep(0.05)
