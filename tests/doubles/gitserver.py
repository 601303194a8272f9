"""A git repository, served over HTTP to who has the password; and one that never answers."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOGIN, PASSWORD = "deploy", "s3cret/of+the:repository"


class Repository:
    """A work tree with commits, and its bare copy as the dumb protocol of git serves it."""

    def __init__(self, folder: Path) -> None:
        self.work, self.served = folder / "work", folder / "served"
        self.work.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch", "main")

    def commit(self, files: dict[str, str], links: dict[str, str] | None = None) -> str:
        """The commit's id, with these files and links in it."""
        for name, text in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        for name, target in (links or {}).items():
            (self.work / name).symlink_to(target)
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "a change")
        bare = self.served / "repo.git"
        if not bare.exists():
            subprocess.run(["git", "clone", "--quiet", "--bare", self.work, bare], check=True)
        self._git("push", "--quiet", str(bare), "HEAD:main")
        subprocess.run(["git", "-C", bare, "update-server-info"], check=True)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null"]
        env = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(
            ["git", "-C", str(self.work), *who, *arguments], check=True, capture_output=True, text=True, env=env
        )
        return done.stdout.strip()


class GitServer:
    """Serves a folder. ``asked`` has the logins of all requests, None for a request without one."""

    def __init__(self, folder: Path, *, hangs: bool = False, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.asked: list[str | None] = []
        self._let_go = threading.Event()
        handler = type("Handler", (_Handler,), {"asked": self.asked, "hangs": self._let_go if hangs else None})
        self._http = ThreadingHTTPServer(address, partial(handler, directory=str(folder)))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/repo.git"

    def close(self) -> None:
        self._let_go.set()
        self._http.shutdown()
        self._http.server_close()


class _Handler(SimpleHTTPRequestHandler):
    asked: list[str | None]
    hangs: threading.Event | None

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        login, _, password = base64.b64decode(given).decode().partition(":")
        self.asked.append(login or None)
        if self.hangs is not None:
            self.hangs.wait(60)
            return
        if (login, password) != (LOGIN, PASSWORD):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass
