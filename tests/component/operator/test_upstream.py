"""What the operator asks a server over HTTP: how an attempt ended, and whether the server answers at all."""

import asyncio
import http.server
import json
import threading

import pytest

from airlock_operator.decide.case import Answer
from airlock_operator.upstream import client as upstream
from airlock_operator.upstream.client import Addresses, Client
from airlock_operator.upstream.errors import Silent


class Played(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answers
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Played)
    served.asked, served.answers = [], (200, b"{}")
    served.url = f"http://127.0.0.1:{served.server_port}"
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join(10)


def client(server, tmp_path, changed=lambda: None):
    token = tmp_path / "token"
    token.write_text("operators-token\n")
    attempts = f"{server.url}/airlock/v1/attempts"
    return Client(Addresses(api=f"{server.url}/execution", attempts=attempts, token_file=str(token)), changed)


async def while_watching(asks, act):
    watching = asyncio.create_task(asks.watch())
    await asyncio.sleep(0)
    try:
        return await asyncio.wait_for(act(), 20)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def attempt(server, tmp_path):
    asks = client(server, tmp_path)
    return asyncio.run(while_watching(asks, lambda: asks.attempt("pod-uid")))


def test_an_attempt_is_asked_about_by_its_pods_uid_with_the_operators_token(server, tmp_path):
    server.answers = (200, json.dumps({"state": "success", "message": "", "more": 1}).encode())

    assert Answer("success") == attempt(server, tmp_path)
    assert [("/airlock/v1/attempts/pod-uid", "Bearer operators-token")] == server.asked


def test_a_pod_that_the_server_does_not_know_never_had_a_token(server, tmp_path):
    server.answers = (404, b'{"reason": "NotFound"}')

    assert Answer("") == attempt(server, tmp_path)


@pytest.mark.parametrize(
    "answers", [(200, b"<html>"), (200, b"{}"), (302, b""), (401, b"{}"), (403, b"{}"), (500, b""), (503, b"{}")]
)
def test_any_other_answer_is_silence_and_no_verdict(server, tmp_path, answers):
    server.answers = answers

    with pytest.raises(Silent):
        attempt(server, tmp_path)


def test_a_404_of_something_else_than_the_server_is_silence(server, tmp_path):
    server.answers = (404, b"404 page not found")

    with pytest.raises(Silent):
        attempt(server, tmp_path)


def test_a_token_that_cannot_be_read_is_silence(server, tmp_path):
    asks = Client(Addresses(attempts=server.url, token_file=str(tmp_path / "none")), lambda: None)

    with pytest.raises(Silent, match="No such file"):
        asyncio.run(while_watching(asks, lambda: asks.attempt("pod-uid")))


def test_a_server_that_goes_away_and_comes_back_is_noticed(server, tmp_path, monkeypatch):
    monkeypatch.setattr(upstream, "_LOOK_SECONDS", 0.05)
    changes = []
    server.answers = (503, b"")
    asks = client(server, tmp_path, lambda: changes.append(asks.away(airflow=False)))

    async def away_and_back():
        while not changes:
            await asyncio.sleep(0.02)
        server.answers = (404, b"{}")
        while len(changes) < 2:
            await asyncio.sleep(0.02)

    asyncio.run(while_watching(asks, away_and_back))

    assert changes[0].startswith("the server has not answered since 20")
    assert ["", ""] == [changes[1], asks.away(airflow=True)]
