"""What the routes work with."""

import msgspec

from airlock_server.encryption import Encryption
from airlock_server.store.database import Database
from airlock_server.tokens import Tokens


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The database, and the keys' two users."""

    db: Database
    tokens: Tokens
    encryption: Encryption
