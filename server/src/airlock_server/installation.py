"""The parts of one home, each opened at its first use; every command and the local executor start with this."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from airlock_server.home import ENCRYPTION_KEY, JWT_KEY, Home, read_mounted_key, read_private_file
from airlock_server.keys import public_keys
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.key_file import KeyFile
from airlock_server.keys.public_keys import SigningKey
from airlock_server.keys.tokens import MAX_KEYS, Tokens
from airlock_server.keys.trusted_keys import TrustedKeys
from airlock_server.secrets.build import secrets_of, setting_of_backends
from airlock_server.secrets.lookup import Secrets
from airlock_server.settings import ServerSettings, load_settings
from airlock_server.store.engine.database import Engine, open_engine
from airlock_wire.process.settings import SettingsError


class Installation:
    """A home with its settings, database, tokens and encryption. Close it, or use it in a ``with``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Reads home and settings; raises HomeError or SettingsError."""
        self.home = Home.open(environ)
        self.settings: ServerSettings = load_settings(self.home.path, environ, setting_of_backends)
        self._environ = environ

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def database(self) -> Engine:
        """The database, its schema current. Raises StoreError."""
        return open_engine(self.settings.database.url or self.home.database_url, self.settings.database)

    @cached_property
    def tokens(self) -> Tokens:
        """The minter and verifier of this home's tokens. Raises HomeError or SettingsError."""
        settings = self.settings.jwt
        if not settings.private_key_file:
            if settings.jwks:
                raise SettingsError(
                    "[jwt] jwks needs private_key_file: tokens of a secret are not for others to verify"
                )
            return Tokens(self.read_jwt_keys(), settings)
        trusted = TrustedKeys(settings.jwks, settings.jwks_refresh_seconds) if settings.jwks else None
        return Tokens(b"", settings, signing=self.read_signing_keys(), trusted=trusted)

    def read_signing_keys(self) -> list[SigningKey]:
        """Returns the private keys that sign tokens. Raises HomeError or SettingsError."""
        settings = self.settings.jwt
        pem = read_private_file(Path(settings.private_key_file))
        return public_keys.read_private(pem, settings.algorithm, settings.key_id)

    @property
    def jwt_file(self) -> Path:
        """The file of the keys that sign tokens."""
        return Path(self.settings.jwt.key_file) if self.settings.jwt.key_file else self.home.path / JWT_KEY

    def read_jwt_keys(self) -> bytes:
        """Returns the keys that sign tokens, one after the other; makes one on first use. Raises HomeError."""
        return read_mounted_key(self.jwt_file, MAX_KEYS) if self.settings.jwt.key_file else self.home.jwt_key()

    @cached_property
    def encryption(self) -> Encryption:
        """The encryption of this home's secrets at rest."""
        if self.settings.encryption.key:
            return Encryption.from_setting(self.settings.encryption.key)
        file = KeyFile(self.encryption_file, self.read_encryption_keys)
        return Encryption(*file.keys, reread=file.reread)

    @property
    def encryption_file(self) -> Path:
        """The file of the keys that protect secrets at rest."""
        file = self.settings.encryption.key_file
        return Path(file) if file else self.home.path / ENCRYPTION_KEY

    def read_encryption_keys(self) -> bytes:
        """Returns the keys that protect secrets at rest; makes one on first use. Raises HomeError."""
        file = self.settings.encryption.key_file
        return read_mounted_key(Path(file), MAX_KEYS) if file else self.home.encryption_key()

    @cached_property
    def secrets(self) -> Secrets:
        """The backends that variables and connections come from. Raises SettingsError."""
        return secrets_of(self.settings.secrets, self._environ)

    def close(self) -> None:
        """Closes the database if it was opened."""
        if "database" in self.__dict__:
            self.database.close()
