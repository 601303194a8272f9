"""Reading a request's body, within a bound of bytes and of time."""

import asyncio

from airlock_server.web.errors import Refused
from airlock_server.web.http import Receive, Request

#: Seconds a client has to send its body.
BODY_SECONDS = 60.0
#: A body over the cap is read and dropped up to this size, so that its sender gets to read the answer.
_MAX_DISCARD_BYTES = 256 * 1024 * 1024


class ClientGone(Exception):
    """The client closed the connection: there is nobody to answer."""


async def read_body(request: Request, receive: Receive, cap: int) -> bytes:
    """Returns the whole body; raises 413 for over ``cap`` bytes, 408 if it does not come in time, or ClientGone."""
    length = request.headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > _MAX_DISCARD_BYTES:
        raise _too_large(cap)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive, cap)
    except TimeoutError as e:
        raise Refused(408, f"The body did not arrive within {BODY_SECONDS:.0f} s") from e


async def _read(receive: Receive, cap: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _MAX_DISCARD_BYTES:
            raise _too_large(cap)
        if size > cap:
            chunks.clear()
        elif chunk:
            chunks.append(chunk)
        if not message.get("more_body"):
            break
    if size > cap:
        raise _too_large(cap)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(cap: int) -> Refused:
    return Refused(413, f"The body is larger than {cap} bytes ([api] max_body_bytes)", ((b"connection", b"close"),))
