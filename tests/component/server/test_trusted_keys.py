"""Tokens that others sign: their public keys at a URL and in a file, read again when they must be, and not too often."""

import asyncio
import http.server
import threading
import time
import uuid

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from airlock_server.api.serve import EmbeddedServer
from airlock_server.keys import public_keys, trusted_keys
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.keys.trusted_keys import TrustedKeys
from airlock_server.settings import JwtSettings
from airlock_wire.process.settings import SettingsError


def new_key():
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return public_keys.read_private(ed25519.Ed25519PrivateKey.generate().private_bytes(*form))[0]


class Issuer:
    """Somebody else who signs tokens, and publishes the public keys over HTTP."""

    def __init__(self):
        self.keys = [new_key()]
        self.asked, self.status, self.body = 0, 200, None
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                body = issuer.body or public_keys.as_set(each.public for each in issuer.keys)
                self.send_response(issuer.status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def token(self, key=None):
        return Tokens(b"", JwtSettings(), signing=[key or self.keys[-1]]).mint_execution(str(uuid.uuid4()))

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.close()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def reading(issuer, clock, refresh=3600.0):
    return TrustedKeys(issuer.url, refresh, clock=clock)


def knows(trusted, kid):
    asyncio.run(trusted.ready(kid))
    return trusted.get(kid) is not None


def test_keys_are_read_once_for_many_tokens(issuer, clock):
    trusted, kid = reading(issuer, clock), issuer.keys[0].public.kid

    assert [True] * 5 == [knows(trusted, kid) for _ in range(5)]
    assert 1 == issuer.asked


def test_an_unknown_key_is_looked_for_again_but_not_at_every_token(issuer, clock):
    trusted = reading(issuer, clock)
    knows(trusted, issuer.keys[0].public.kid)
    issuer.keys.append(new_key())
    kid = issuer.keys[1].public.kid

    assert [False] * 5 == [knows(trusted, kid) for _ in range(5)]
    assert 1 == issuer.asked
    clock.now += trusted_keys.RETRY_SECONDS
    assert [True] * 5 == [knows(trusted, kid) for _ in range(5)]
    assert 2 == issuer.asked


def test_tokens_with_made_up_keys_cannot_make_the_server_ask_more_often(issuer, clock):
    trusted = reading(issuer, clock)
    for number in range(200):
        clock.now += 0.1
        assert not knows(trusted, f"made up {number}")

    assert issuer.asked <= 3


def test_a_key_that_is_withdrawn_is_forgotten_once_the_keys_are_old(issuer, clock):
    trusted, kid = reading(issuer, clock, refresh=60.0), issuer.keys[0].public.kid
    assert knows(trusted, kid)
    issuer.keys = [new_key()]
    clock.now += 30

    assert knows(trusted, kid)
    clock.now += 31
    assert not knows(trusted, kid)


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (200, b"nonsense"), (200, b"[]"), (200, b" " * (trusted_keys.MAX_BYTES + 1))]
)
def test_a_reading_that_fails_leaves_the_keys_and_is_told(issuer, clock, status, body):
    trusted, kid = reading(issuer, clock, refresh=60.0), issuer.keys[0].public.kid
    assert knows(trusted, kid)
    issuer.status, issuer.body = status, body
    clock.now += 100

    assert knows(trusted, kid)
    assert 2 == issuer.asked
    assert None is trusted.problem()
    clock.now += 100
    assert "200 s old" in trusted.problem()


def test_keys_that_were_never_read_are_told(clock):
    trusted = TrustedKeys("/nowhere/keys.json", 60.0, clock=clock)

    assert None is trusted.problem()
    assert not knows(trusted, "x")
    assert "never read" in trusted.problem()


def test_many_at_once_wait_for_one_reading(issuer, clock):
    trusted, kid = reading(issuer, clock), issuer.keys[0].public.kid

    async def together():
        await asyncio.gather(*(trusted.ready(kid) for _ in range(20)))

    asyncio.run(together())
    assert trusted.get(kid) is not None
    assert 1 == issuer.asked


def test_keys_in_a_file_are_read_again_too(tmp_path, clock):
    file, keys = tmp_path / "keys.json", [new_key(), new_key()]
    file.write_bytes(public_keys.as_set([keys[0].public]))
    trusted = TrustedKeys(str(file), 3600.0, clock=clock)
    assert knows(trusted, keys[0].public.kid)
    file.write_bytes(public_keys.as_set(each.public for each in keys))
    clock.now += 11

    assert knows(trusted, keys[1].public.kid)


def test_a_source_of_another_kind_is_refused():
    with pytest.raises(SettingsError, match="ftp://"):
        TrustedKeys("ftp://example.org/keys", 60.0)


def test_the_server_takes_its_own_tokens_and_those_of_the_issuer_and_no_others(issuer, sqlite_db):
    import httpx

    own, stranger = new_key(), new_key()
    tokens = Tokens(b"", JwtSettings(), signing=[own], trusted=TrustedKeys(issuer.url, 3600.0))
    with (
        EmbeddedServer(sqlite_db, tokens, Encryption(b"e" * 64)) as server,
        httpx.Client(base_url=server.url) as client,
    ):

        def status(token):
            headers = {"authorization": f"Bearer {token}"}
            return client.get("/variables/keys", headers=headers).status_code

        assert {"ok": ["database", "jwks"], "failing": {}} == client.get("/health/ping").json()
        assert 200 == status(tokens.mint_execution(str(uuid.uuid4())))
        assert 200 == status(issuer.token())
        assert 403 == status(issuer.token(stranger))
        secret = Tokens(b"k" * 64, JwtSettings()).mint_execution(str(uuid.uuid4()))
        assert 403 == status(secret)
        near = Tokens(b"", JwtSettings(), signing=[own]).mint_execution(str(uuid.uuid4()), time.time() - 590)
        answer = client.get("/variables/keys", headers={"authorization": f"Bearer {near}"})
        assert tokens.verify(answer.headers["refreshed-api-token"]).exp > time.time() + 500
