"""Runs a command that works on the store: opens and closes the installation, and turns errors into sentences."""

import argparse
from collections.abc import Callable, Mapping

from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.keys.encryption import Undecryptable
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
