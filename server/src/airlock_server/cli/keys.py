"""``airlock keys setup|rotate|reencrypt``: the keys of an install in Kubernetes, or of a home."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from airlock_server.cli import CommandError, home_keys, say
from airlock_server.cli.on_store import on_store
from airlock_server.home import settings_folder
from airlock_server.keys.contents import KeysError
from airlock_server.keys.install import Install
from airlock_server.kube.address import own_namespace, where
from airlock_server.kube.client import Client
from airlock_server.kube.errors import ClusterError
from airlock_server.secrets.build import setting_of_backends
from airlock_server.settings import load_settings

_SERVICE = "airlock-server"

#: The name of each rotation, its first step, and its last (None if it has one step).
_ROTATIONS: dict[str, tuple[Callable[[Install], None], Callable[[Install], None] | None]] = {
    "ca": (Install.begin_authority, Install.finish_authority),
    # Its last step takes the name of the key that all values are under.
    "encryption": (Install.begin_encryption, None),
    "jwt": (Install.begin_jwt, Install.finish_jwt),
    "server": (Install.rotate_server, None),
}

#: The keys that a home has, too.
_OF_A_HOME = ("encryption", "jwt")


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "keys",
        help="make and rotate keys",
        description="In Kubernetes: makes and rotates the Secrets airlock-keys, airlock-ca and airlock-server-tls, and "
        "the ConfigMap airlock-ca that sidecars trust. Elsewhere: rotates the keys in AIRLOCK_HOME. docs/rotation.md "
        "describes the steps.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    setup = actions.add_parser(
        "setup",
        help="make what is missing",
        description="Makes what is missing, and renews the server's certificate within 30 days of its end or when its "
        "names do not fit. What is there and valid is never changed, so it may run at every upgrade.",
    )
    _add_place(setup)
    setup.set_defaults(run=_run(lambda _, install: install.set_up()))
    rotate = actions.add_parser(
        "rotate",
        help="replace a key",
        description="Replaces the authority (ca), the server's certificate (server), the key that signs tokens (jwt) "
        "or the key of secrets at rest (encryption). All but server have a second step, --finish, which drops the old "
        "key once nothing relies on it. jwt and encryption are also keys of a home: outside of a pod and without "
        "--namespace, it is the home's that are replaced.",
    )
    rotate.add_argument("what", choices=sorted(_ROTATIONS))
    rotate.add_argument("--finish", action="store_true", help="the second step of ca, encryption and jwt")
    rotate.add_argument(
        "--reencrypted",
        metavar="NAME",
        default="",
        help="for the second step of encryption in Kubernetes: the key's name that `airlock keys reencrypt` printed",
    )
    rotate.add_argument("--home", action="store_true", help="the keys in AIRLOCK_HOME, also in a pod")
    _add_place(rotate)
    rotate.set_defaults(run=_rotate_somewhere)
    again = actions.add_parser(
        "reencrypt",
        help="encrypt what is stored under the newest key",
        description="Encrypts every stored password, extra and variable under the newest key, where it is not yet. It "
        "runs where the database is: in the server's pod, while the server goes on. It may be repeated.",
    )
    again.set_defaults(run=on_store(home_keys.reencrypt_values))
    public = actions.add_parser(
        "jwks",
        help="print the public keys of tokens",
        description="Prints the public halves of the keys in [jwt] private_key_file as a JSON Web Key Set, for those "
        "who verify this server's tokens.",
    )
    public.set_defaults(run=on_store(home_keys.print_set))


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--namespace", help="the install's namespace; that of the pod this runs in by default")
    parser.add_argument("--service", default=_SERVICE, help="the server's Service, whose names the certificate has")


def _rotate_somewhere(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    in_cluster = args.namespace or own_namespace() is not None
    if args.what in _OF_A_HOME and (args.home or not in_cluster):
        try:
            return on_store(home_keys.rotate)(args, environ)
        except KeysError as e:
            raise CommandError(str(e)) from e
    return _run(_rotate)(args, environ)


def _rotate(args: argparse.Namespace, install: Install) -> None:
    if args.what == "encryption" and args.finish:
        install.finish_encryption(args.reencrypted)
        return
    begin, finish = _ROTATIONS[args.what]
    if not args.finish:
        begin(install)
    elif finish is None:
        raise CommandError(f"rotating {args.what} has one step; leave out --finish", 2)
    else:
        finish(install)


def _run(
    action: Callable[[argparse.Namespace, Install], None],
) -> Callable[[argparse.Namespace, Mapping[str, str]], int]:
    def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
        namespace = args.namespace or own_namespace()
        if namespace is None:
            raise CommandError("this is not a pod, so say which install: --namespace", 2)
        settings = load_settings(settings_folder(environ), environ, setting_of_backends)
        if getattr(args, "what", None) == "jwt" and settings.jwt.private_key_file:
            raise CommandError(
                "[jwt] private_key_file signs tokens, which is a Secret of your own: put a new key before the old ones "
                "there, restart the server, and drop the old ones once no token of theirs is left",
                2,
            )
        client = Client(where(settings.kubernetes, environ))
        try:
            action(args, Install(client, namespace, args.service, say))
        except (KeysError, ClusterError) as e:
            raise CommandError(str(e)) from e
        finally:
            client.close()
        return 0

    return run
