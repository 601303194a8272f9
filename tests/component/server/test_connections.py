"""Connections that say nothing, or too slowly, or are too many: none is kept, and others are served meanwhile."""

import datetime as dt
import socket
import ssl
import time

import httpx
import pytest

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys import certificates
from airlock_server.settings import ApiSettings
from airlock_server.web import connections
from airlock_server.web.connections import Limits

GET = b"GET /execution/health/ping HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def pair(tmp_path):
    now = dt.datetime.now(dt.UTC)
    made = certificates.sign_server(certificates.make_authority(now), ["127.0.0.1"], now)
    for name, data in (("tls.crt", made.certificate), ("tls.key", made.key)):
        (tmp_path / name).write_bytes(data)
    return {"tls_cert": str(tmp_path / "tls.crt"), "tls_key": str(tmp_path / "tls.key")}


@pytest.fixture
def serve(db, api, monkeypatch):
    """Starts a server with these settings, whose deadlines are a second."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.0)
    monkeypatch.setattr(connections, "BODY_SECONDS", 1.0)
    running = []

    def start(**settings):
        server = EmbeddedServer(db, api.tokens, api.encryption, ApiSettings(**settings))
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def connect():
    """Connects to a server; closed at the end."""
    opened = []

    def connect(server, *, tls=False):
        url = httpx.URL(server.url)
        peer = socket.create_connection((url.host, url.port), timeout=10)
        opened.append(ssl._create_unverified_context().wrap_socket(peer) if tls else peer)
        return opened[-1]

    yield connect
    for peer in opened:
        peer.close()


def ping(server):
    return httpx.get(f"{server.url}/health/ping", timeout=10, verify=False).status_code


def is_closed(peer):
    """Whether it is, after what it still has to say."""
    try:
        while peer.recv(1000):
            pass
    except ConnectionResetError:
        return True
    return True


SILENT = {
    "nothing": lambda peer: None,
    "a line without its end": lambda peer: peer.sendall(b"GET / HT"),
    "a head without its end": lambda peer: peer.sendall(GET),
    "a body without its end": lambda peer: peer.sendall(GET.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\nx"),
}


@pytest.mark.parametrize("say", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_connection_that_says_too_little_is_closed(serve, connect, pair, say, tls):
    server = serve(**(pair if tls else {}))
    peer = connect(server, tls=tls)
    say(peer)

    assert 200 == ping(server)
    assert is_closed(peer)


def test_a_connection_that_does_not_begin_tls_is_closed(serve, connect, pair):
    server = serve(**pair)
    peer = connect(server)

    assert is_closed(peer)
    assert 200 == ping(server)


def test_a_head_that_comes_a_byte_at_a_time_has_one_deadline(serve, connect):
    server = serve()
    peer = connect(server)
    began = time.monotonic()
    peer.setblocking(False)
    peer.sendall(GET + b"x-slow: ")
    while time.monotonic() - began < 10:
        time.sleep(0.1)
        try:
            peer.sendall(b"a")
            assert b"" == peer.recv(1)
            break
        except BlockingIOError:
            continue
        except OSError:
            break
    else:
        pytest.fail("the connection was kept")


def test_a_kept_connection_may_wait_longer_for_its_next_request(serve, connect):
    server = serve()
    peer = connect(server)
    for pause in (0.0, 1.5):
        time.sleep(pause)
        peer.sendall(GET + b"\r\n")
        assert peer.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("setting", ["max_connections", "max_connections_per_peer"])
def test_connections_beyond_the_limit_are_closed_and_their_places_come_back(serve, connect, setting):
    server = serve(**{setting: 5})
    held = [connect(server) for _ in range(5)]
    extra = connect(server)

    assert is_closed(extra)
    for peer in held:
        peer.close()
    until = time.monotonic() + 10
    while True:
        try:
            assert 200 == ping(server)
            break
        except (httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError):
            assert time.monotonic() < until


def test_one_peer_takes_no_place_of_another():
    limits = Limits(in_all=3, per_peer=2)

    assert ["", "", "max_connections_per_peer", ""] == [limits.enter(peer) for peer in ("a", "a", "a", "b")]
    assert "max_connections" == limits.enter("c")
    limits.leave("a")
    assert "" == limits.enter("c")
