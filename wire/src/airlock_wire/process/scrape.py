"""
Answers ``GET /metrics`` over plain HTTP, for a Prometheus: one request a connection, on a port of its own.

What is answered is made by the caller. Nothing else of the process can be reached through this port.
"""

import asyncio
from collections.abc import Awaitable, Callable

_READ_SECONDS = 5.0
_ANSWER_SECONDS = 20.0
_MAX_REQUEST_BYTES = 8192
#: Scrapes at once; a connection beyond them is closed.
MAX_SCRAPES = 8
#: The type of Prometheus' text format.
TEXT = b"text/plain; version=0.0.4; charset=utf-8"


async def serve(port: int, text: Callable[[], Awaitable[bytes]], host: str | None = None) -> asyncio.Server:
    """Listens, and answers each scrape with ``text``; every other request with 404."""
    under_way = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way
        under_way += 1
        try:
            if under_way > MAX_SCRAPES:
                return
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(_ANSWER_SECONDS):
                is_metrics = head.startswith((b"GET /metrics ", b"GET /metrics?"))
                body = await text() if is_metrics else b"metrics are at /metrics\n"
                writer.write(
                    b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                    % (b"200 OK" if is_metrics else b"404 Not Found", TEXT, len(body), body)
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            under_way -= 1
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=_MAX_REQUEST_BYTES)
