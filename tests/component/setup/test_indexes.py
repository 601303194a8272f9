"""
The set-up on machines that reach packages in their own ways: an index of one's own, a proxy that looks into TLS. Both
are played on the loopback; pip is told where they are, as a user of such a machine has told it already.
"""

import hashlib
import os
import shutil
import ssl
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cluster.node.certificates import Authority, Leaf

ROOT = Path(__file__).resolve().parents[3]
WHEEL = "tiny_thing-1.0-py3-none-any.whl"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    path = tmp_path_factory.mktemp("wheel") / WHEEL
    info = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_thing.py", "HERE = True\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path.read_bytes()


class Index(BaseHTTPRequestHandler):
    """A tiny index. As a proxy it takes the other end's place in TLS, by a certificate of its own authority."""

    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_CONNECT(self):
        self.server.connected.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.inspects.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def finish(self):
        super().finish()
        # The server closes what it accepted, not what that was wrapped in.
        self.connection.close()

    def do_GET(self):
        files = {f"/files/{WHEEL}": self.server.wheel} if self.server.wheel else {}
        files["/simple/tiny-thing/"] = f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode() if self.server.wheel else b""
        body = files.get(self.path) or b""
        self.server.seen.append(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html" if "simple" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        """A client that refuses our certificate ends the connection: that is what some tests want."""


@pytest.fixture
def serve(wheel):
    servers = []

    def start(*, content=wheel, tls=None, inspects=None):
        server = Quiet(("127.0.0.1", 0), Index)
        server.wheel, server.inspects, server.connected, server.seen = content, inspects, [], []
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue(Leaf("index", "index.example", names=("index.example",), addresses=("127.0.0.1",)))
    made.issue(Leaf("client", "somebody"))
    folder = made.folder
    (folder / "client.pem").write_bytes((folder / "client.crt").read_bytes() + (folder / "client.key").read_bytes())
    return folder


@pytest.fixture
def as_index(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "index.crt", authority / "index.key")
    return context


@pytest.fixture
def install(tmp_path, wheel):
    """Runs the set-up of an environment with one package, with this in pip.conf; what it said, and whether it is there."""
    tree = tmp_path / "tree"
    for folder in ("scripts", "requirements", ".venvs", "wire"):
        (tree / folder).mkdir(parents=True)
    for name in ("scripts/environment.sh", "scripts/pip_to_uv.py", "requirements/uv.txt"):
        shutil.copy(ROOT / name, tree / name)
    (tree / "wire/pyproject.toml").touch()
    (tree / ".venvs/uv").symlink_to(ROOT / ".venvs/uv")
    digest = hashlib.sha256(wheel).hexdigest()
    (tree / "requirements/tiny.txt").write_text(f"tiny-thing==1.0 --hash=sha256:{digest}\n")

    def run(*lines, **environ):
        (tmp_path / "pip.conf").write_text("\n".join(["[global]", "retries = 0", *lines]) + "\n")
        # Only what a shell has: neither pip's nor uv's variables of this machine, nor its proxies.
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
        own = {
            "HOME": str(tmp_path),
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        }
        done = subprocess.run(
            ["bash", "scripts/environment.sh", "tiny"], cwd=tree, env=kept | own | environ, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        asked = [tree / ".venvs/tiny/bin/python", "-c", "import tiny_thing"]
        there = done.returncode == 0 and subprocess.run(asked, check=False, timeout=30).returncode == 0
        return there, done.stderr

    return run


def at(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.server_port}/simple"


def test_an_index_of_ones_own_is_used(install, serve):
    server = serve()

    assert (True, "") == install(f"index-url = {at(server)}")
    assert "/simple/tiny-thing/" in server.seen


def test_more_indexes_are_asked_too(install, serve):
    first, second = serve(content=b""), serve()

    assert (True, "") == install(f"index-url = {at(first)}", f"extra-index-url = {at(second)}")


INSPECTED = "index-url = https://index.example/simple"


def test_a_proxy_that_looks_into_tls_is_passed_with_the_authority_that_pip_trusts(install, serve, as_index, authority):
    proxy = serve(inspects=as_index)
    lines = (INSPECTED, f"proxy = http://127.0.0.1:{proxy.server_port}", f"cert = {authority / 'ca.crt'}")

    assert (True, "") == install(*lines)
    assert {"index.example:443"} == set(proxy.connected)


def test_a_proxy_of_the_environment_is_passed_with_the_authority_of_the_environment(
    install, serve, as_index, authority
):
    proxy = serve(inspects=as_index)
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_port}", "SSL_CERT_FILE": str(authority / "ca.crt")}

    assert (True, "") == install(INSPECTED, **environ)


def test_a_proxy_that_nobody_trusts_is_not_passed(install, serve, as_index):
    proxy = serve(inspects=as_index)
    there, said = install(INSPECTED, f"proxy = http://127.0.0.1:{proxy.server_port}", UV_HTTP_RETRIES="0")

    assert (False, True) == (there, "certificate" in said.lower())
    assert {"index.example:443"} == set(proxy.connected)


def test_an_index_that_asks_who_one_is_is_shown_pips_certificate(install, serve, as_index, authority):
    as_index.verify_mode = ssl.CERT_REQUIRED
    as_index.load_verify_locations(authority / "ca.crt")
    lines = (f"index-url = {at(serve(tls=as_index), 'https')}", f"cert = {authority / 'ca.crt'}")

    assert not install(*lines)[0]
    assert (True, "") == install(*lines, f"client-cert = {authority / 'client.pem'}")


def test_a_host_that_pip_trusts_is_trusted(install, serve, as_index):
    server = serve(tls=as_index)

    assert (True, "") == install(f"index-url = {at(server, 'https')}", f"trusted-host = 127.0.0.1:{server.server_port}")
