"""The services that the routes use."""

import msgspec

from airlock_server.exchange.service import Exchange
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.observer import NOBODY, Observer
from airlock_server.secrets.lookup import Secrets
from airlock_server.settings import StateStoreSettings
from airlock_server.store.engine.database import Engine


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """
    The database, and the services that use the keys. ``by_grant``: pods read only what was granted to their namespace.
    ``exchange`` is None if this server does not serve TaskRuns. ``observer`` is told each answer. ``secrets`` answers
    for variables and connections; by default the database alone does.
    """

    db: Engine
    tokens: Tokens
    encryption: Encryption
    by_grant: bool = False
    exchange: Exchange | None = None
    observer: Observer = NOBODY
    secrets: Secrets = Secrets()
    state_store: StateStoreSettings = StateStoreSettings()
