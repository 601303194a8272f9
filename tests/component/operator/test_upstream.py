"""What the operator asks a server over HTTP: how an attempt ended, and whether the server answers at all."""

import asyncio
import json

import pytest

from airlock_operator.decide.case import Answer
from airlock_operator.upstream import client as upstream
from airlock_operator.upstream.client import Addresses, Client
from airlock_operator.upstream.errors import Silent


@pytest.fixture
def server(played):
    return played


def answering(status, body):
    return lambda path, headers: (status, body)


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
    server.answers = answering(200, json.dumps({"state": "success", "message": "", "more": 1}).encode())

    assert Answer("success") == attempt(server, tmp_path)
    assert [("/airlock/v1/attempts/pod-uid", "Bearer operators-token")] == [
        (path, headers["Authorization"]) for path, headers in server.asked
    ]


def test_a_pod_that_the_server_does_not_know_never_had_a_token(server, tmp_path):
    server.answers = answering(404, b'{"reason": "NotFound"}')

    assert Answer("") == attempt(server, tmp_path)


@pytest.mark.parametrize(
    "answers", [(200, b"<html>"), (200, b"{}"), (302, b""), (401, b"{}"), (403, b"{}"), (500, b""), (503, b"{}")]
)
def test_any_other_answer_is_silence_and_no_verdict(server, tmp_path, answers):
    server.answers = answering(*answers)

    with pytest.raises(Silent):
        attempt(server, tmp_path)


def test_a_404_of_something_else_than_the_server_is_silence(server, tmp_path):
    server.answers = answering(404, b"404 page not found")

    with pytest.raises(Silent):
        attempt(server, tmp_path)


def test_a_token_that_cannot_be_read_is_silence(server, tmp_path):
    asks = Client(Addresses(attempts=server.url, token_file=str(tmp_path / "none")), lambda: None)

    with pytest.raises(Silent, match="No such file"):
        asyncio.run(while_watching(asks, lambda: asks.attempt("pod-uid")))


def test_a_server_that_goes_away_and_comes_back_is_noticed(server, tmp_path, monkeypatch):
    monkeypatch.setattr(upstream, "_LOOK_SECONDS", 0.05)
    changes = []
    server.answers = answering(503, b"")
    asks = client(server, tmp_path, lambda: changes.append(asks.away(airflow=False)))

    async def away_and_back():
        while not changes:
            await asyncio.sleep(0.02)
        server.answers = answering(404, b"{}")
        while len(changes) < 2:
            await asyncio.sleep(0.02)

    asyncio.run(while_watching(asks, away_and_back))

    assert changes[0].startswith("the server has not answered since 20")
    assert ["", ""] == [changes[1], asks.away(airflow=True)]
