"""``airlock config list|get-value|init``: the settings that a server would have, and a file to begin with."""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from airlock_server.cli import CommandError, say, settings_text
from airlock_server.home import settings_folder
from airlock_server.secrets.build import setting_of_backends
from airlock_server.settings import SETTINGS_FILE, ServerSettings, read_settings
from airlock_wire.process.settings import field_of


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "config",
        help="show the settings, and write a file of them",
        description="Shows the settings that airlock.toml and the environment give. Writes a commented airlock.toml.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    list_ = actions.add_parser(
        "list",
        help="print every setting and where it comes from",
        description="Prints every setting as a line of TOML, with its origin behind it. Secrets are shown as ***.",
    )
    list_.add_argument("--section", help="only this section")
    list_.add_argument("--defaults", action="store_true", help="the defaults, whatever is set")
    list_.set_defaults(run=_list)
    get = actions.add_parser(
        "get-value",
        help="print one setting's value",
        description="Prints one setting's value, also if it is a secret.",
    )
    get.add_argument("section")
    get.add_argument("key")
    get.set_defaults(run=_get_value)
    init = actions.add_parser(
        "init",
        help="write a commented file of every setting",
        description="Writes a file with every setting, its default and its meaning. Each setting is a comment, so the "
        "file changes nothing until a line is uncommented.",
    )
    init.add_argument("file", nargs="?", help="the file to write; airlock.toml in AIRLOCK_HOME by default")
    init.add_argument("--force", action="store_true", help="replace a file that is there")
    init.set_defaults(run=_init)


def _list(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    sections = [field.encode_name for field in msgspec.structs.fields(ServerSettings)]
    if args.section is not None and args.section not in sections:
        raise CommandError(f"there is no section {args.section!r}; there are: {', '.join(sorted(sections))}", 2)
    if args.defaults:
        say(settings_text.listing(ServerSettings(), {}, args.section))
        return 0
    settings, origins = read_settings(settings_folder(environ), environ, setting_of_backends)
    say(settings_text.listing(settings, origins, args.section))
    return 0


def _get_value(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    field = field_of(ServerSettings, args.section, args.key, "airlock config")
    settings, _ = read_settings(settings_folder(environ), environ, setting_of_backends)
    value = getattr(getattr(settings, args.section), field.name)
    say(value if isinstance(value, str) else settings_text.toml(value))
    return 0


def _init(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    target = Path(args.file) if args.file is not None else settings_folder(environ) / SETTINGS_FILE
    if target.exists() and not args.force:
        raise CommandError(f"{target} is there already; give another name, or --force", 2)
    try:
        if args.file is None:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(target, settings_text.commented(ServerSettings))
    except OSError as e:
        raise CommandError(f"{target} cannot be written: {e.strerror}") from e
    say(f"{target}: every setting, at its default")
    return 0


def _replace(target: Path, text: str) -> None:
    """Writes a file that only its owner can read; it is there as a whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(draft, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
