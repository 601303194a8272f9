"""``airlock api-server``."""

import argparse
from collections.abc import Mapping
from typing import Any

from airlock_server import facts
from airlock_server.api.serve import serve
from airlock_server.api.services import Services
from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.store.errors import StoreError


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "api-server",
        help="serve the Execution API",
        description="Serves the Execution API at /execution until it gets SIGTERM or SIGINT.",
        epilog="Address, TLS and limits: section [api] of airlock.toml, or AIRLOCK__API__PORT and so on.",
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serves; the exit code."""
    with Installation(environ) as installation:
        facts.configure(installation.settings.logging.level)
        try:
            db = installation.database
        except StoreError as e:
            raise CommandError(str(e)) from e
        services = Services(db=db, tokens=installation.tokens, encryption=installation.encryption)
        return serve(installation.settings.api, services)
