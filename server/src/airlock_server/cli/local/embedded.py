"""The API server that a command of this machine has for its launches."""

from airlock_server.api.serve import EmbeddedServer
from airlock_server.installation import Installation


def embedded_server(installation: Installation) -> EmbeddedServer:
    """Returns the API server of launches on this machine; it serves inside a ``with``."""
    return EmbeddedServer(
        installation.database,
        installation.tokens,
        installation.encryption,
        secrets=installation.secrets,
        state_store=installation.settings.state_store,
    )
