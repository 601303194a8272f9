"""
Limits the server's connections in number and in silence. A connection needs no token, so without limits anybody who
reaches the port could fill the server's memory with silent ones.

Connections are accepted here and not by uvicorn, so that the peer is known before TLS begins.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger("airlock.api")

#: Seconds a connection may take for TLS, and again for each request's head.
HEAD_SECONDS = 10.0
#: Seconds a request's body may take.
BODY_SECONDS = 300.0
#: Seconds between two lines of the log about refused connections.
_SAY_SECONDS = 60.0
#: Seconds without accepting, after the process had no free descriptor.
_PAUSE_SECONDS = 0.2
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Limits:
    """Counts the connections, of each peer and in all, against their limits."""

    def __init__(self, in_all: int, per_peer: int) -> None:
        self._in_all = in_all
        self._per_peer = per_peer
        self._count: Counter[str] = Counter()
        self._sum = 0

    def enter(self, peer: str) -> str:
        """Counts a connection of a peer; returns the setting whose limit is reached, empty if it may come in."""
        if self._sum >= self._in_all:
            return "max_connections"
        if self._count[peer] >= self._per_peer:
            return "max_connections_per_peer"
        self._count[peer] += 1
        self._sum += 1
        return ""

    def leave(self, peer: str) -> None:
        """Notes that a connection has ended."""
        self._sum -= 1
        self._count[peer] -= 1
        if not self._count[peer]:
            del self._count[peer]


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for each request's head and for its body."""

    _deadline: asyncio.TimerHandle | None = None
    #: Called once, when the connection has ended.
    ended: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Starts the deadline of the first head."""
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the deadline."""
        self._within(None)
        if self.ended is not None:
            self.ended()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Starts the deadline of a head."""
        self._within(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Starts the deadline of a body."""
        self._within(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Ends the deadline of the request."""
        self._within(None)
        super().on_message_complete()

    def _within(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


class Door:
    """Accepts a listener's connections, within the limits, until it is closed."""

    def __init__(
        self, listener: socket.socket, limits: Limits, protocol: Callable[[], Protocol], tls: ssl.SSLContext | None
    ) -> None:
        self._listener = listener
        self._limits = limits
        self._protocol = protocol
        self._tls = tls
        self._said_at = float("-inf")
        self._coming: set[asyncio.Task[None]] = set()
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._accepting = asyncio.create_task(self._accept())

    def close(self) -> None:
        """Stops accepting; open connections stay."""
        self._accepting.cancel()
        for task in self._coming:
            task.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listener)
            except OSError as e:
                if e.errno in _NO_DESCRIPTORS:
                    self._say("no descriptor is left for another connection", error=e.strerror)
                    await asyncio.sleep(_PAUSE_SECONDS)
                continue
            peer = str(address[0])
            if full := self._limits.enter(peer):
                connection.close()
                self._say(f"connections are refused: [api] {full} is reached", peer=peer)
                continue
            task = asyncio.create_task(self._let_in(connection, peer))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)

    async def _let_in(self, connection: socket.socket, peer: str) -> None:
        protocol = self._protocol()
        released = False

        def leave() -> None:
            nonlocal released
            if not released:
                released = True
                self._limits.leave(peer)

        protocol.ended = leave
        handshake: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": HEAD_SECONDS} if self._tls else {}
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection, **handshake)
        except (OSError, asyncio.CancelledError):
            # TLS did not begin, or failed, or the server ends: the connection is closed.
            with contextlib.suppress(OSError):
                connection.close()
            leave()

    def _say(self, text: str, **fields: Any) -> None:
        if time.monotonic() - self._said_at >= _SAY_SECONDS:
            self._said_at = time.monotonic()
            log.warning(text, extra=fields)
