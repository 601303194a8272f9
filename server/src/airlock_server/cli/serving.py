"""The Execution API for the launches of this process's own machine, on the loopback."""

from collections.abc import Iterator
from contextlib import contextmanager

from airlock_server.api.serve import EmbeddedServer
from airlock_server.cli import CommandError
from airlock_server.installation import Installation
from airlock_server.store.engine.database import Engine
from airlock_server.store.errors import StoreError


def database_of(here: Installation) -> Engine:
    """Returns the database of a home; raises CommandError without one."""
    try:
        return here.database
    except StoreError as e:
        raise CommandError(str(e)) from e


@contextmanager
def serving(here: Installation) -> Iterator[str]:
    """Inside the ``with`` the API answers at the address that this yields. Raises CommandError without a database."""
    with EmbeddedServer(
        database_of(here), here.tokens, here.encryption, secrets=here.secrets, state_store=here.settings.state_store
    ) as server:
        yield server.url
