"""The sidecar speaks TLS to a server whose authority it was given, and to no other, over as few connections as it can."""

import datetime as dt
import ipaddress
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from doubles.api import Answer, ScriptedApi
from doubles.launcher import SUCCEED, PlayedLauncher
from doubles.sidecar import Sidecar, work

from airlock_sidecar.upstream.api import Server
from airlock_wire.record import Reason


@pytest.fixture
def certificate(tmp_path):
    """A certificate for the loopback, signed by itself: its file is certificate, key and authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "played")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def tls_api(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    api = ScriptedApi(context)
    yield api
    api.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_a_server_is_spoken_to_only_if_its_authority_was_given(tls_api, certificate, trusted):
    settings = {"AIRLOCK__API__CA_FILE": str(certificate)} if trusted else {}
    sidecar = Sidecar(tls_api, work(), settings).start()
    launcher = PlayedLauncher(sidecar)
    try:
        if trusted:
            launcher.begin()
            launcher.ask(SUCCEED)
            launcher.exit()
            assert Reason.SUCCEEDED is sidecar.end().reason
        else:
            launcher.connect()
            launcher.say("forked")
            time.sleep(1.0)
            assert [] == tls_api.calls
            assert "CERTIFICATE_VERIFY_FAILED" in sidecar.log()[0]["event"]
    finally:
        launcher.clean()
        sidecar.clean()


@pytest.fixture
def server(tls_api, certificate):
    server = Server(tls_api.url, str(certificate))
    yield server
    # A sidecar's process ends without closing what the kernel closes.
    for connection in server._idle:
        connection.close()


def ask(server, path):
    return server.ask("PATCH", f"/execution{path}", {}, b"{}", 10.0).status


def in_a_thread(act):
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_threads_that_ask_one_after_the_other_share_a_connection(tls_api, server):
    said = []
    for path in ("/run", "/rtif", "/state"):
        in_a_thread(lambda path=path: said.append(ask(server, path))).join(10)

    assert [200, 204, 204] == said
    assert 1 == tls_api.connections


def test_a_request_that_takes_long_keeps_no_other_from_its_answer(tls_api, server):
    go = threading.Event()
    tls_api.answers["/run"] = lambda _: Answer(200 if go.wait(10) else 500)
    said = []
    long = in_a_thread(lambda: said.append(ask(server, "/run")))

    assert 204 == ask(server, "/heartbeat")
    go.set()
    long.join(10)
    assert [200] == said
    assert [204, 204] == [ask(server, "/heartbeat") for _ in range(2)]
    assert 2 == tls_api.connections
