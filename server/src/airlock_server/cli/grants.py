"""``airlock grants add|list|remove``."""

import argparse
from typing import Any, get_args

from airlock_server.cli import CommandError, say
from airlock_server.cli.on_store import on_store
from airlock_server.installation import Installation
from airlock_server.store import grants
from airlock_server.store.grants import Grant, Kind

_MAX_PATTERN_CHARS = 250
_MAX_NAMESPACE_CHARS = 63


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "grants",
        help="say which namespace's tasks may read, use or start what",
        description="A grant lets the tasks of TaskRuns in a namespace read variables or connections, use assets (by a "
        "name, a URI or the name of an alias), or make and clear runs of DAGs. Grants count where [access] default is "
        "'granted', as it is in the chart.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    add = actions.add_parser("add", help="add a grant", description="Adds a grant; one that is there stays.")
    _add_grant(add)
    add.set_defaults(run=on_store(_add))
    remove = actions.add_parser("remove", help="remove a grant", description="Removes a grant, named as it was added.")
    _add_grant(remove)
    remove.set_defaults(run=on_store(_remove))
    list_ = actions.add_parser("list", help="print the grants", description="Prints namespace, kind and name, by line.")
    list_.add_argument("kind", nargs="?", choices=get_args(Kind))
    list_.add_argument("--namespace", help="only this namespace's")
    list_.set_defaults(run=on_store(_list))


def _add_grant(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=get_args(Kind))
    parser.add_argument("name", help="a name, or a pattern: * for any characters, ? for one; quote it for the shell")
    parser.add_argument("--namespace", required=True, help="the TaskRuns' namespace")


def _grant(args: argparse.Namespace) -> Grant:
    if not 0 < len(args.name) <= _MAX_PATTERN_CHARS:
        raise CommandError(f"a name has 1 to {_MAX_PATTERN_CHARS} characters", 2)
    namespace = args.namespace
    if not 0 < len(namespace) <= _MAX_NAMESPACE_CHARS or not namespace.replace("-", "").isalnum():
        raise CommandError(f"{namespace!r} is not a Kubernetes namespace; each namespace needs a grant of its own", 2)
    return Grant(namespace, args.kind, args.name)


def _add(args: argparse.Namespace, here: Installation) -> None:
    grant = _grant(args)
    here.database.write(lambda conn: grants.add(conn, grant))


def _remove(args: argparse.Namespace, here: Installation) -> None:
    grant = _grant(args)
    if not here.database.write(lambda conn: grants.remove(conn, grant)):
        raise CommandError(f"there is no such grant; `airlock grants list --namespace {grant.namespace}` shows them")


def _list(args: argparse.Namespace, here: Installation) -> None:
    for grant in here.database.read(lambda conn: grants.list_(conn, args.kind, args.namespace)):
        say(f"{grant.namespace}\t{grant.kind}\t{grant.pattern}")
