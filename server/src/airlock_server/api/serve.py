"""
Serves the Execution API: in this process (``serve``), or in a thread of it (``EmbeddedServer``).

Only this module and ``connections`` import uvicorn. Why this stack: docs/adr/0003.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NamedTuple, Self

import uvicorn

from airlock_server.api.app import MOUNT, App
from airlock_server.api.services import Services
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.secrets.lookup import Secrets
from airlock_server.settings import ApiSettings, StateStoreSettings
from airlock_server.store.engine.database import Engine
from airlock_server.web.certificate import CertificateFiles
from airlock_server.web.connections import Door, Limits, Protocol
from airlock_wire.process import scrape

log = logging.getLogger("airlock.api")

#: Seconds a connection may be idle. Clients close theirs sooner, so the server closes none that is just being used.
KEEP_ALIVE_SECONDS = 75
#: Seconds that requests under way have when the server is told to stop.
STOP_SECONDS = 5
#: Seconds an embedded server has to come up.
START_SECONDS = 10
#: Seconds a thread may keep the interpreter while another waits for it. The writer needs it after each statement, so
#: Python's 5 ms would be most of a commit.
SWITCH_SECONDS = 0.0005

_POLL_SECONDS = 0.002
#: Seconds between two checks whether the certificate's files have changed.
_CERTIFICATE_SECONDS = 30


class Metrics(NamedTuple):
    """Where metrics are served, and what writes them."""

    host: str
    port: int
    text: Callable[[], Awaitable[bytes]]


def serve(api: ApiSettings, services: Services, metrics: Metrics | None = None) -> int:
    """Serves until SIGTERM or SIGINT; returns the process's exit code, 1 if an address cannot be used."""
    try:
        listener = _listen(api.host, api.port)
    except OSError as e:
        log.error("cannot listen", extra={"host": api.host, "port": api.port, "error": e.strerror})  # noqa: TRY400
        return 1
    scheme = "https" if api.tls_cert else "http"
    host, port = listener.getsockname()[:2]
    log.info("listening", extra={"url": f"{scheme}://{host}:{port}/{MOUNT}"})
    app = App(services, api.max_body_bytes)
    server = _Server(_config(app, api), api, stop_on=(signal.SIGTERM, signal.SIGINT), metrics=metrics)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        server.run(sockets=[listener])
    except MetricsAddressError as e:
        log.error("cannot listen", extra={"host": e.metrics.host, "port": e.metrics.port, "error": str(e)})  # noqa: TRY400
        return 1
    log.info("stopped")
    return 0


class MetricsAddressError(Exception):
    """The address for metrics cannot be used; the process ends."""

    def __init__(self, metrics: Metrics, why: str) -> None:
        super().__init__(why)
        self.metrics = metrics


class EmbeddedServer:
    """
    The same API on a free port of the loopback, in a thread. ``with EmbeddedServer(...) as server: server.url``.

    It serves this process's own launches. The caller closes the database.
    """

    def __init__(
        self,
        db: Engine,
        tokens: Tokens,
        encryption: Encryption,
        api: ApiSettings | None = None,
        secrets: Secrets | None = None,
        state_store: StateStoreSettings | None = None,
    ) -> None:
        self._api = api or ApiSettings()
        services = Services(
            db=db,
            tokens=tokens,
            encryption=encryption,
            secrets=secrets or Secrets(),
            state_store=state_store or StateStoreSettings(),
        )
        self._app = App(services, self._api.max_body_bytes)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once it answers; raises OSError or TimeoutError."""
        # Bound here, so that the address is known, and connections are held, before the thread runs.
        listener = _listen("127.0.0.1", 0)
        scheme = "https" if self._api.tls_cert else "http"
        self.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/{MOUNT}"
        self._server = _Server(_config(self._app, self._api), self._api)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="api", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise TimeoutError(f"the embedded API server did not come up in {START_SECONDS} s")

    def stop(self) -> None:
        """Ends requests under way, within STOP_SECONDS, and the thread."""
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._thread.join(STOP_SECONDS + 1)


class _Server(uvicorn.Server):
    """
    uvicorn's server with another way to stop. It stops at once, while uvicorn checks ten times a second. Its ``run``
    returns, while uvicorn raises the signal again and the process ends before the database is closed. ``connections``
    accepts its connections.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        api: ApiSettings,
        stop_on: Sequence[signal.Signals] = (),
        metrics: Metrics | None = None,
    ) -> None:
        super().__init__(config)
        self._metrics = metrics
        self._limits = Limits(api.max_connections, api.max_connections_per_peer)
        self._stop_on = stop_on
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        def protocol() -> Protocol:
            return Protocol(config=self.config, server_state=self.server_state, app_state={})

        self._doors = [Door(listener, self._limits, protocol, self.config.ssl) for listener in sockets or []]
        self.servers = []
        self.started = True

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        for number in self._stop_on:
            self._loop.add_signal_handler(number, self._stop.set)
        scrapes = await self._serve_metrics()
        self.ready.set()
        watch = asyncio.create_task(self._watch_certificate())
        await self._stop.wait()
        watch.cancel()
        if scrapes is not None:
            scrapes.close()

    async def _serve_metrics(self) -> asyncio.Server | None:
        if self._metrics is None:
            return None
        try:
            return await scrape.serve(self._metrics.port, self._metrics.text, self._metrics.host)
        except OSError as e:
            raise MetricsAddressError(self._metrics, str(e)) from e

    async def _watch_certificate(self) -> None:
        """Loads a renewed certificate, which is used from the next connection on."""
        if self.config.ssl is None or not self.config.ssl_certfile:
            return
        files = CertificateFiles(self.config.ssl, str(self.config.ssl_certfile), str(self.config.ssl_keyfile))
        while True:
            await asyncio.sleep(_CERTIFICATE_SECONDS)
            files.reload_if_changed()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for door in self._doors:
            door.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        deadline = time.monotonic() + STOP_SECONDS
        # uvicorn offers nothing to wait for here, so this polls; usually once.
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: Any, api: ApiSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_certfile=api.tls_cert or None,
        ssl_keyfile=api.tls_key or None,
    )
