"""Runs a command that works on the store: opens and closes the installation, and turns errors into sentences."""

import argparse
import sys
from collections.abc import Callable, Mapping

from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.keys.encryption import Undecryptable
from airlock_server.secrets.backend import Kind
from airlock_server.store.errors import StoreError

Action = Callable[[argparse.Namespace, Installation], None]


def on_store(action: Action) -> Callable[[argparse.Namespace, Mapping[str, str]], int]:
    """Turns ``action`` into a command's ``run``, which raises CommandError."""

    def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
        try:
            with Installation(environ) as installation:
                action(args, installation)
        except (StoreError, Undecryptable) as e:
            raise CommandError(str(e)) from e
        return 0

    return run


def warn_of_shadow(here: Installation, kind: Kind, key: str) -> None:
    """Says on standard error that tasks will not see what was written, because an earlier backend has the name."""
    backend = here.secrets.shadow(kind, key)
    if backend is not None:
        sys.stderr.write(f"airlock: tasks do not see this {kind}: backend {backend} has {key!r} and is asked first\n")
