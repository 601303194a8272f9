"""The operator's probes: alive from the start, ready once the API server has answered it."""

import asyncio

import pytest

from airlock_operator.kube import errors, health
from airlock_operator.kube.leadership import Leadership


class Cluster:
    """An API server that has no Lease, after it was away."""

    def __init__(self, error):
        self.error = error

    async def lease(self, namespace, name):
        raise self.error

    async def create_lease(self, namespace, body):
        raise errors.NotAllowed(403, "no")


async def asked(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n")
    writer.close()
    return int(head.split()[1])


async def statuses(error):
    leadership = Leadership(Cluster(error), "airlock-system", "airlock-operator", "me", 15.0)
    server = await health.serve(0, dict, leadership.ready, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    trying = asyncio.ensure_future(leadership.acquire())
    try:
        await asyncio.sleep(0.1)
        return {path: await asked(port, path) for path in ("/healthz", "/readyz", "/other")}
    finally:
        trying.cancel()
        server.close()


@pytest.mark.parametrize(
    ("error", "ready"),
    [(errors.Busy(0, "away"), 503), (errors.NotAllowed(403, "no"), 503), (errors.NotFound(404, "no Lease yet"), 200)],
)
def test_an_operator_is_ready_once_the_api_server_has_answered_it(error, ready):
    assert {"/healthz": 200, "/readyz": ready, "/other": 404} == asyncio.run(statuses(error))
