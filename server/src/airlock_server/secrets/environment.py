"""The backend ``environment``: ``AIRLOCK_VAR_<KEY>`` and ``AIRLOCK_CONN_<ID>`` in the server's own environment."""

from collections.abc import Mapping

from airlock_server.secrets.backend import Variable
from airlock_server.secrets.connection_text import from_text
from airlock_server.store.connections import Connection

VARIABLE, CONNECTION = "AIRLOCK_VAR_", "AIRLOCK_CONN_"


class Environment:
    """Looks a name up in upper case, as Airflow does."""

    name = "environment"
    blocks = False
    remembered = False

    def __init__(self, environ: Mapping[str, str]) -> None:
        prefixes = (VARIABLE, CONNECTION)
        self._values = {name: value for name, value in environ.items() if name.startswith(prefixes)}

    def variable(self, key: str) -> Variable | None:
        """Returns a variable."""
        value = self._values.get(VARIABLE + key.upper())
        return None if value is None else Variable(value)

    def connection(self, conn_id: str) -> Connection | None:
        """Returns a connection, which is a URI or a JSON object."""
        value = self._values.get(CONNECTION + conn_id.upper())
        return None if not value else from_text(conn_id, value)
