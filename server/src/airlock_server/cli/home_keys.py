"""Rotates the keys of a home, where there is no Kubernetes: the files of keys, and the values in the database."""

import argparse
from pathlib import Path

from airlock_server.cli import CommandError, say
from airlock_server.installation import Installation
from airlock_server.keys import contents, key_file, public_keys
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import KEY_BYTES, MAX_KEYS
from airlock_server.secrets.reencryption import reencrypt


def rotate(args: argparse.Namespace, here: Installation) -> None:
    """Does a step of rotating the keys that sign tokens (``jwt``) or protect secrets at rest (``encryption``)."""
    steps = {
        ("jwt", False): begin_jwt,
        ("jwt", True): finish_jwt,
        ("encryption", False): begin_encryption,
        ("encryption", True): finish_encryption,
    }
    try:
        steps[args.what, args.finish](here)
    except OSError as e:
        raise CommandError(f"{e.filename} cannot be replaced: {e.strerror}") from e


def begin_jwt(here: Installation) -> None:
    """Makes a new key that signs tokens; the old ones still verify."""
    if here.settings.jwt.private_key_file:
        _begin_private(here, Path(here.settings.jwt.private_key_file))
        return
    contents.check_room(str(here.jwt_file), here.read_jwt_keys())
    key_file.prepend(here.jwt_file)
    seconds = here.settings.jwt.execution_seconds
    say(f"{here.jwt_file}: a new key signs from the server's next start, and the old ones still verify")
    say(f"Restart the server. After {seconds} s no token of an old key is left: airlock keys rotate jwt --finish")


def finish_jwt(here: Installation) -> None:
    """Drops the old keys, which only verified."""
    if here.settings.jwt.private_key_file:
        key_file.change(Path(here.settings.jwt.private_key_file), public_keys.first_of)
        say(f"{here.settings.jwt.private_key_file}: the old keys are dropped from the server's next start on")
        return
    if len(here.read_jwt_keys()) <= KEY_BYTES:
        say(f"{here.jwt_file}: one key, nothing to drop")
        return
    key_file.keep_first(here.jwt_file)
    say(f"{here.jwt_file}: the old keys are dropped from the server's next start on")


def _begin_private(here: Installation, path: Path) -> None:
    keys = here.read_signing_keys()
    if len(keys) >= MAX_KEYS:
        raise CommandError(f"{path} holds {len(keys)} keys already; drop the old ones first: --finish")
    new = public_keys.generate_like(keys[0])
    key_file.change(path, lambda old: new + old)
    say(f"{path}: a new key signs from the server's next start, and the old ones still verify")
    say("Give its public half (`airlock keys jwks`) to those who verify its tokens, then restart the server")


def print_set(_args: argparse.Namespace, here: Installation) -> None:
    """Prints the public halves of the keys that sign tokens, as a JSON Web Key Set."""
    if not here.settings.jwt.private_key_file:
        raise CommandError("tokens are signed with a secret, which has no public half; set [jwt] private_key_file", 2)
    say(public_keys.as_set(each.public for each in here.read_signing_keys()).decode())


def begin_encryption(here: Installation) -> None:
    """Makes a new key of secrets at rest, unless a rotation is under way, and encrypts every value under it."""
    _refuse_setting(here)
    if len(here.read_encryption_keys()) <= KEY_BYTES:
        key_file.prepend(here.encryption_file)
        say(f"{here.encryption_file}: a new key, and the old one behind it")
    else:
        say(f"{here.encryption_file}: a rotation is under way and goes on")
    _reencrypt(here, _both(here))
    say("Every value is under the new key. To drop the old one: airlock keys rotate encryption --finish")


def finish_encryption(here: Installation) -> None:
    """Drops the old key, after every value is under the new one."""
    _refuse_setting(here)
    if len(here.read_encryption_keys()) <= KEY_BYTES:
        say(f"{here.encryption_file}: one key, nothing to drop")
        return
    both = _both(here)
    _reencrypt(here, both)
    key_file.keep_first(here.encryption_file)
    # A server may have encrypted a value under the old key just before it was dropped. This process still has that key.
    _reencrypt(here, both)
    say(f"{here.encryption_file}: the old key is dropped")


def reencrypt_values(_args: argparse.Namespace, here: Installation) -> None:
    """Encrypts every value under the newest key, wherever that key is kept."""
    if here.settings.encryption.key:
        _reencrypt(here, here.encryption)
        say("Every value is under the first key of [encryption] key; the others may be dropped")
        return
    keys = key_file.split(here.read_encryption_keys())
    _reencrypt(here, _both(here))
    say(f"Every value is under key {key_file.fingerprint(keys[0])}, the first of {len(keys)} in {here.encryption_file}")


def _both(here: Installation) -> Encryption:
    """Returns an encryption that keeps the keys that the file has now, also after it has changed."""
    return Encryption(*key_file.split(here.read_encryption_keys()))


def _reencrypt(here: Installation, encryption: Encryption) -> None:
    outcome = reencrypt(here.database, encryption)
    say(f"{outcome.changed} values encrypted anew")
    for place in outcome.lost:
        say(f"{place}: none of the keys opens it, so it stays as it is")


def _refuse_setting(here: Installation) -> None:
    if here.settings.encryption.key:
        raise CommandError(
            "[encryption] key is a setting, which this command cannot change. Write a new key and a comma before it, "
            "restart the server, run `airlock keys reencrypt`, then remove the old key",
            2,
        )
