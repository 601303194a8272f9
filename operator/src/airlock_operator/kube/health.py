"""``/healthz`` and ``/readyz`` of the operator: a few lines of HTTP, for the kubelet's probes and for people."""

import asyncio
import json
from collections.abc import Callable

_READ_SECONDS = 5.0
_MAX_REQUEST_BYTES = 8192


async def serve(
    port: int, health: Callable[[], dict[str, object]], ready: Callable[[], bool], host: str | None = None
) -> asyncio.Server:
    """
    Answers every GET with the text of ``health``. A process that can answer is alive: one that loses the Lease ends.
    ``/readyz`` answers 503 until ``ready`` returns true.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            ok = head.startswith((b"GET /healthz ", b"GET /readyz "))
            body = json.dumps(health()).encode() if ok else b"{}"
            waits = head.startswith(b"GET /readyz ") and not ready()
            status = b"503 Service Unavailable" if waits else b"200 OK" if ok else b"404 Not Found"
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (status, len(body), body)
            )
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=_MAX_REQUEST_BYTES)
