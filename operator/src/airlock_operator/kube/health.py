"""``/healthz`` and ``/readyz`` of the operator: a few lines of HTTP, for the kubelet's probes and for people."""

import asyncio
import json
from collections.abc import Callable

_READ_SECONDS = 5.0
_MAX_REQUEST_BYTES = 8192


#: An operator is ready while its last good list is not older than so many periods.
LISTS = 5


def unready(*, installed: bool, reached: bool, listed_seconds: float | None, period: float) -> str:
    """
    Says what an operator waits for before it can do its part; empty if it can. Pure.

    ``installed``: nothing says that the TaskRun resource is not there. ``reached``: the API server has answered about
    the Lease. ``listed_seconds`` is the age of the last good list. One that stands by needs it too: an upgrade then
    ends the leader only when the next one knows everything.
    """
    if not installed:
        return "the TaskRun resource is not installed"
    if not reached:
        return "the API server has not answered about the Lease"
    if listed_seconds is None:
        return "TaskRuns and pods have not been listed yet"
    if listed_seconds > LISTS * period:
        return f"TaskRuns and pods could not be listed for {round(listed_seconds)} s"
    return ""


async def serve(
    port: int, health: Callable[[], dict[str, object]], waits_for: Callable[[], str], host: str | None = None
) -> asyncio.Server:
    """
    Answers every GET with the text of ``health``. A process whose loop answers is alive: it ends by itself if it loses
    the Lease, a watch or a worker. ``/readyz`` answers 503 while ``waits_for`` returns a text.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            ok = head.startswith((b"GET /healthz ", b"GET /readyz "))
            waits = waits_for()
            body = json.dumps(health() | {"waitsFor": waits}).encode() if ok else b"{}"
            waits = waits if head.startswith(b"GET /readyz ") else ""
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
