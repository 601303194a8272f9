"""What the routes work with."""

import msgspec

from airlock_server.exchange.service import Exchange
from airlock_server.keys.encryption import Encryption
from airlock_server.keys.tokens import Tokens
from airlock_server.store.engine.database import Database


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """
    The database, and the keys' two users. ``by_grant``: pods read only what was granted to their namespace.
    ``exchange`` is there where TaskRuns are served.
    """

    db: Database
    tokens: Tokens
    encryption: Encryption
    by_grant: bool = False
    exchange: Exchange | None = None
