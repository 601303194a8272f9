"""``airlock variables set|get|list|delete``."""

import argparse
import sys
from functools import partial
from typing import Any

from airlock_server.cli import CommandError, say
from airlock_server.cli.on_store import on_store, warn_of_shadow
from airlock_server.installation import Installation
from airlock_server.store import variables

_PAGE = 1000


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "variables",
        help="set, get, list and delete variables",
        description="Variables are text by key. Tasks read them; their values are encrypted in the database.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    set_ = actions.add_parser("set", help="make or replace a variable", description="Makes or replaces a variable.")
    set_.add_argument("key")
    set_.add_argument(
        "value", help="the value; - reads it from standard input, which keeps it out of the shell's history"
    )
    set_.add_argument("--description", help="a note for people")
    set_.set_defaults(run=on_store(_set))
    get = actions.add_parser("get", help="print a variable's value", description="Prints a variable's value.")
    get.add_argument("key")
    get.set_defaults(run=on_store(_get))
    list_ = actions.add_parser("list", help="print the keys", description="Prints the keys, one a line, in order.")
    list_.add_argument("--prefix", help="only keys that start with this")
    list_.set_defaults(run=on_store(_list))
    delete = actions.add_parser("delete", help="remove a variable", description="Removes a variable.")
    delete.add_argument("key")
    delete.set_defaults(run=on_store(_delete))


def _set(args: argparse.Namespace, here: Installation) -> None:
    if not args.key:
        raise CommandError("the key is empty: a variable needs a name", 2)
    value = sys.stdin.read() if args.value == "-" else args.value
    here.database.write(lambda conn: variables.put(conn, here.encryption, args.key, value, args.description))
    warn_of_shadow(here, "variable", args.key)


def _get(args: argparse.Namespace, here: Installation) -> None:
    there, value = here.database.read(lambda conn: variables.get(conn, here.encryption, args.key))
    if not there:
        raise CommandError(f"there is no variable {args.key!r}; `airlock variables list` shows those there are")
    say(value or "")


def _list(args: argparse.Namespace, here: Installation) -> None:
    offset = 0
    while True:
        page = partial(variables.keys, prefix=args.prefix, limit=_PAGE, offset=offset)
        keys, total = here.database.read(page)
        for key in keys:
            say(key)
        offset += len(keys)
        if not keys or offset >= total:
            return


def _delete(args: argparse.Namespace, here: Installation) -> None:
    if not here.database.write(lambda conn: variables.delete(conn, args.key)):
        raise CommandError(f"there is no variable {args.key!r}")
