"""``airlock api-server``."""

import argparse
import contextlib
from collections.abc import Mapping
from typing import Any

from airlock_server import log as facts
from airlock_server.api.serve import Metrics as Served
from airlock_server.api.serve import serve
from airlock_server.api.services import Services
from airlock_server.cli import CommandError
from airlock_server.exchange.service import Exchange
from airlock_server.installation import Installation
from airlock_server.kube.address import where
from airlock_server.kube.client import Client
from airlock_server.launching.taskruns.sweeper import Sweeper
from airlock_server.observer import NOBODY, Observer
from airlock_server.store.engine.database import Engine
from airlock_server.store.engine.observed import Observed
from airlock_server.store.errors import StoreError


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "api-server",
        help="serve the Execution API",
        description="Serves the Execution API at /execution until it gets SIGTERM or SIGINT, and for TaskRuns the "
        "exchange of their pods' tokens at /airlock/v1/exchange; /healthz and /readyz are for probes. "
        "Metrics have a port of their own, if it is set.",
        epilog="Address, TLS and limits: section [api] of airlock.toml, or AIRLOCK__API__PORT and so on. TaskRuns: "
        "sections [kubernetes], [exchange] and [access]. Metrics: section [metrics].",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serves; returns the exit code."""
    with Installation(environ) as here, contextlib.ExitStack() as running:
        settings = here.settings
        facts.configure(settings.logging.level, settings.logging.format)
        here.home.lock()
        try:
            db = here.database
        except StoreError as e:
            raise CommandError(str(e)) from e
        observer: Observer = NOBODY
        metrics = None
        if settings.metrics.port:
            # Imported here: the client of Prometheus costs milliseconds, and a laptop has no use for it.
            from airlock_server.api.scrape import Scrape
            from airlock_server.metrics import Metrics

            observer = process_metrics = Metrics()
            metrics = Served(settings.metrics.host, settings.metrics.port, Scrape(process_metrics, db).text)
            db = Observed(db, observer)
        services = Services(
            db=db,
            tokens=here.tokens,
            encryption=here.encryption,
            secrets=here.secrets,
            by_grant=settings.access.default == "granted",
            exchange=_serve_taskruns(here, db, environ, running, observer) if settings.kubernetes.enabled else None,
            observer=observer,
            state_store=settings.state_store,
        )
        return serve(settings.api, services, metrics)


def _serve_taskruns(
    here: Installation, db: Engine, environ: Mapping[str, str], running: contextlib.ExitStack, observer: Observer
) -> Exchange:
    """Starts the exchange, and the sweeper beside it; both end with ``running``."""
    kubernetes = here.settings.kubernetes
    namespaces = tuple(name.strip() for name in kubernetes.namespaces.split(",") if name.strip())
    client = Client(where(kubernetes, environ))
    running.callback(client.close)
    exchange = Exchange(
        client,
        kubernetes.connections,
        db,
        here.tokens,
        here.settings.exchange,
        namespaces,
        kubernetes.operator_account,
        by_grant=here.settings.access.default == "granted",
    )
    running.callback(exchange.close)
    running.enter_context(Sweeper(client, db, kubernetes.sweep_seconds, namespaces, observer))
    return exchange
