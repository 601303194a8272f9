"""``airlock connections set|get|list|delete``."""

import argparse
import json
import sys
from typing import Any

import msgspec

from airlock_server.cli import CommandError, say
from airlock_server.cli.on_store import on_store, warn_of_shadow
from airlock_server.installation import Installation
from airlock_server.secrets.connection_uri import UriError, parse_uri
from airlock_server.store import connections
from airlock_server.store.connections import Connection

_MAX_PORT = 65535
_HIDDEN = "***"


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "connections",
        help="set, get, list and delete connections",
        description="Connections are how tasks reach other systems. Passwords and extras are encrypted at rest.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    _register_set(actions)
    get = actions.add_parser("get", help="print a connection", description="Prints a connection as JSON.")
    get.add_argument("conn_id")
    get.add_argument("--show-secrets", action="store_true", help="print the password and the extra, too")
    get.set_defaults(run=on_store(_get))
    list_ = actions.add_parser("list", help="print ids and types", description="Prints each connection's id and type.")
    list_.set_defaults(run=on_store(_list))
    delete = actions.add_parser("delete", help="remove a connection", description="Removes a connection.")
    delete.add_argument("conn_id")
    delete.set_defaults(run=on_store(_delete))


def _register_set(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "set",
        help="make or replace a connection",
        description="Makes or replaces a connection as a whole: fields that are not given become empty.",
        epilog="Example: airlock connections set db --type postgres --host db.internal --login etl --password-stdin",
    )
    parser.add_argument("conn_id")
    parser.add_argument("--uri", help="all fields as type://login:password@host:port/schema?extra_key=value")
    parser.add_argument("--type", help="the kind of system, for example postgres, http or aws")
    parser.add_argument("--host")
    parser.add_argument("--login")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password", help="stays in the shell's history; --password-stdin does not")
    secret.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument("--port", type=int, help=f"1 to {_MAX_PORT}")
    parser.add_argument("--schema", help="the database's schema, or what the kind of system calls so")
    parser.add_argument("--extra", help="a JSON object of what else the kind of system needs")
    parser.add_argument("--description", help="a note for people")
    parser.set_defaults(run=on_store(_set))


def _set(args: argparse.Namespace, here: Installation) -> None:
    new = _from_arguments(args)
    here.database.write(lambda conn: connections.put(conn, here.encryption, new))
    warn_of_shadow(here, "connection", new.conn_id)


def _from_arguments(args: argparse.Namespace) -> Connection:
    if not args.conn_id or "/" in args.conn_id:
        raise CommandError("a connection's id is text without a slash, because tasks ask for it by URL", 2)
    fields = {"host": args.host, "schema": args.schema, "login": args.login, "port": args.port, "extra": args.extra}
    if args.password_stdin:
        fields["password"] = sys.stdin.read().removesuffix("\n")
    else:
        fields["password"] = args.password
    if args.uri is not None:
        also = ["--type"] if args.type is not None else []
        also += [f"--{name}" for name, value in fields.items() if value is not None]
        if also:
            raise CommandError(f"--uri says everything; leave out {', '.join(also)}, or leave out --uri", 2)
        try:
            return parse_uri(args.conn_id, args.uri, args.description)
        except UriError as e:
            raise CommandError(f"--uri: {e}", 2) from e
    if not args.type:
        raise CommandError("a connection needs --type (for example --type postgres), or --uri", 2)
    if args.port is not None and not 1 <= args.port <= _MAX_PORT:
        raise CommandError(f"--port {args.port}: a port is a number from 1 to {_MAX_PORT}", 2)
    if args.extra is not None:
        _check_extra(args.extra)
    return Connection(conn_id=args.conn_id, conn_type=args.type, description=args.description, **fields)


def _check_extra(extra: str) -> None:
    try:
        value = json.loads(extra)
    except (ValueError, RecursionError) as e:
        raise CommandError(f"--extra is not JSON; write an object, for example '{{\"timeout\": 30}}' ({e})", 2) from e
    if not isinstance(value, dict):
        raise CommandError("--extra must be a JSON object, for example '{\"timeout\": 30}'", 2)


def _get(args: argparse.Namespace, here: Installation) -> None:
    connection = here.database.read(lambda conn: connections.get(conn, here.encryption, args.conn_id))
    if connection is None:
        raise CommandError(f"there is no connection {args.conn_id!r}; `airlock connections list` shows those there are")
    fields = msgspec.structs.asdict(connection)
    if not args.show_secrets:
        fields |= {secret: _HIDDEN for secret in ("password", "extra") if fields[secret] is not None}
    say(json.dumps(fields, indent=2, ensure_ascii=False))


def _list(_args: argparse.Namespace, here: Installation) -> None:
    for conn_id, conn_type in here.database.read(connections.ids):
        say(f"{conn_id}\t{conn_type}")


def _delete(args: argparse.Namespace, here: Installation) -> None:
    if not here.database.write(lambda conn: connections.delete(conn, args.conn_id)):
        raise CommandError(f"there is no connection {args.conn_id!r}")
