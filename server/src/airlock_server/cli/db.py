"""``airlock db backup|restore``: a copy of the database, and its way back."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from airlock_server.cli import CommandError, say
from airlock_server.installation import Installation
from airlock_server.store.engine import backup, urls
from airlock_server.store.errors import StoreError

_STREAM = "-"


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "db",
        help="back up and restore the database",
        description="Copies the database while a server uses it, and puts a copy back. The keys are not in it: what it "
        "has of passwords and variables can only be read with the encryption key that it was written with.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    make = actions.add_parser(
        "backup",
        help="write a copy of the database",
        description="Writes a copy of the database as it is now. The server goes on meanwhile.",
    )
    make.add_argument("file", help=f"the new file; {_STREAM} for standard output")
    make.add_argument("--force", action="store_true", help="replace a file that is there")
    make.set_defaults(run=_run(_backup))
    restore = actions.add_parser(
        "restore",
        help="put a copy back",
        description="Checks a copy and lays it beside the database. The server puts it back when it is started again, "
        "and keeps what was there before in a file beside it.",
    )
    restore.add_argument("file", help=f"the copy; {_STREAM} for standard input")
    restore.set_defaults(run=_run(_restore))


def _backup(args: argparse.Namespace, database: Path) -> None:
    if args.file != _STREAM:
        target = Path(args.file)
        if target.exists() and not args.force:
            raise CommandError(f"{target} is there already; give another name, or --force", 2)
        size = backup.write(database, target)
        say(f"{target}: {size} bytes")
        return
    with tempfile.TemporaryDirectory(dir=database.parent) as folder:
        copy = Path(folder, "copy")
        backup.write(database, copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


def _restore(args: argparse.Namespace, database: Path) -> None:
    if args.file != _STREAM:
        staged = backup.stage(database, Path(args.file))
    else:
        with tempfile.TemporaryDirectory(dir=database.parent) as folder:
            copy = Path(folder, "copy")
            with copy.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            staged = backup.stage(database, copy)
    say(f"{staged} is whole, and is put back when the server is started again")


def _run(action: Callable[[argparse.Namespace, Path], None]) -> Callable[[argparse.Namespace, Mapping[str, str]], int]:
    def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
        with Installation(environ) as installation:
            try:
                url = urls.parse(installation.settings.database.url or installation.home.database_url)
                if url.get_backend_name() != "sqlite":
                    raise CommandError(
                        "this command copies a SQLite file; for PostgreSQL use its own pg_dump and pg_restore"
                    )
                database = urls.path_of(url)
                if not database.exists():
                    raise CommandError(f"there is no database at {database} yet")
                action(args, database)
            except StoreError as e:
                raise CommandError(str(e)) from e
        return 0

    return run
